from django.apps import AppConfig


class NoticesConfig(AppConfig):
    name = "socle.notices"
    label = "notices"
    verbose_name = "Notifications"
