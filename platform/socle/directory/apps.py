from django.apps import AppConfig

from socle.accounts import navigation
from socle.accounts.capabilities import ROLE_LABELS, Capability
from socle.accounts.navigation import Door, Scope
from socle.journal import events


class DirectoryConfig(AppConfig):
    name = "socle.directory"
    label = "directory"
    verbose_name = "Annuaire"

    def ready(self) -> None:
        navigation.register(
            Door(
                Scope.PORTAL,
                "Annuaire",
                "directory:members",
                Capability.DIRECTORY_READ,
                20,
                "building",
            )
        )
        events.register(
            {
                "directory.imported": "Annuaire national mis à jour : {report}",
                "directory.members_joined": "Communes du groupement {epci} devenues adhérentes",
                "directory.granted": "Droits donnés à {who} : {roles}",
                "directory.grant_ended": "Droits retirés à {who}",
                "directory.right_opened": "Droit de transmettre ouvert : {reference}",
                "directory.right_suspended": "Droit de transmettre suspendu : {reason}",
                "directory.right_resumed": "Droit de transmettre rétabli",
                "directory.edited": "Fiche complétée : {fields}",
                "directory.contact_added": "Contact ajouté : {function}",
            },
            words={
                "roles": {role.value: label for role, label in ROLE_LABELS.items()},
                "fields": {
                    field.name: str(field.verbose_name)
                    for field in self.get_model("Organisation")._meta.fields
                },
            },
        )
