from django.apps import AppConfig


class RegistrationAuthorityConfig(AppConfig):
    name = "registration_authority"
    label = "registration_authority"
    verbose_name = "Autorité d’enregistrement"
