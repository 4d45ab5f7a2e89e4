"""Django's handle on the practice offices: there is no model, only a command and an adapter."""

from django.apps import AppConfig


class ExerciseConfig(AppConfig):
    name = "socle.exercise"
    label = "exercise"
    verbose_name = "Préfecture et trésorerie d'exercice"

    def ready(self) -> None:
        from socle.delivery import adapters
        from socle.exercise.adapter import ExerciseAdapter

        adapters.register("exercise", ExerciseAdapter)
