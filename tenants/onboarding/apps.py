from django.apps import AppConfig

from socle.accounts import navigation
from socle.accounts.capabilities import Capability
from socle.accounts.navigation import Door, Scope
from socle.journal import events
from socle.notices import todos

SENTENCES = {
    "onboarding.opened": "Dossier de raccordement ouvert",
    "onboarding.state_changed": "Raccordement : le dossier est à l’état « {state} »",
    "onboarding.step_done": "Étape terminée : {step}",
    "onboarding.step_dated": "Étape « {step} » faite le {on}",
    "onboarding.step_blocked": "Étape « {step} » bloquée : {reason}",
    "onboarding.step_unblocked": "Étape « {step} » débloquée",
    "onboarding.step_set_aside": "Étape « {step} » sans objet : {reason}",
    "onboarding.step_taken_up": "Étape « {step} » reprise",
    "onboarding.operator_chosen": "Opérateur de transmission choisi : {operator}",
    "onboarding.contract_proposed": "Voie d’accès et tarif proposés : {route}",
    "onboarding.tariff_accepted": "Tarif accepté par {name}",
    "onboarding.contract_drawn_up": "Contrat produit",
    "onboarding.contract_signed": "Contrat signé par {signatory} pour la collectivité le {on}",
    "onboarding.contract_countersigned": "Contrat signé par {signatory} le {on}",
    "onboarding.deliberation_written": "Délibération produite",
    "onboarding.deliberation_signed": "Délibération n° {number} signée déposée",
    "onboarding.deliberation_transmitted": "Délibération transmise à la préfecture le {on}",
    "onboarding.convention_prepared": "Convention avec le préfet produite",
    "onboarding.convention_signed": "Convention signée par {signatory} le {on}",
    "onboarding.convention_sent": "Convention envoyée à la préfecture le {on}",
    "onboarding.convention_returned": "Convention retournée par la préfecture : {reason}",
    "onboarding.convention_signed_by_prefet": "Convention signée par {signatory} le {on}",
    "onboarding.convention_complete": "{reference} signée des deux parties, début le {starts_on}",
    "onboarding.convention_suspended": "Convention suspendue le {on} : {reason}",
    "onboarding.convention_resumed": "Convention rétablie",
    "onboarding.convention_renounced": "Renonciation à la transmission électronique au {on}",
    "onboarding.helios_sheet_written": "Fiche HELIOS remplie : {budget}",
    "onboarding.helios_agreed": "Accord de la DGFiP donné le {on} par {name}",
    "onboarding.helios_form_drawn_up": "Formulaire d’adhésion au PES produit",
    "onboarding.helios_form_signed": "Adhésion au PES signée par {signatory} le {on}",
    "onboarding.helios_complete": "{reference} reçue par le comptable",
    "onboarding.closed": "Dossier de raccordement clos : {reason}",
}


class OnboardingConfig(AppConfig):
    name = "tenants.onboarding"
    label = "onboarding"
    verbose_name = "Raccordement"

    def ready(self) -> None:
        from tenants.onboarding import queries

        navigation.register(
            Door(
                Scope.PORTAL,
                "Raccordements",
                "onboarding:cases",
                Capability.ONBOARDING_READ,
                10,
                "flow",
            ),
            Door(
                Scope.COMMUNE,
                "Mon raccordement",
                "onboarding_commune:home",
                Capability.ONBOARDING_OWN,
                30,
                "flow",
            ),
        )
        todos.register(Scope.PORTAL, Capability.ONBOARDING_MANAGE, queries.officer_todos)
        todos.register(Scope.COMMUNE, Capability.ONBOARDING_OWN, queries.commune_todos)
        events.register(SENTENCES)
