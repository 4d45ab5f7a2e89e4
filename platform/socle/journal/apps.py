from django.apps import AppConfig


class JournalConfig(AppConfig):
    """The journal, in the public schema and in every tenant's."""

    name = "socle.journal"
    label = "journal"
    verbose_name = "Journal"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from socle.journal import events

        events.register({"journal.exported": "Journal exporté. Motif : {reason}"})
