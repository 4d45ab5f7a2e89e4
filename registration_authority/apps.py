from django.apps import AppConfig

from socle.accounts import navigation
from socle.accounts.capabilities import Capability
from socle.accounts.navigation import Door, Scope
from socle.core import crypto
from socle.journal import events


class RegistrationAuthorityConfig(AppConfig):
    name = "registration_authority"
    label = "registration_authority"
    verbose_name = "Autorité d’enregistrement"

    def ready(self) -> None:
        from registration_authority import adapters, cmp, portal, todos, training
        from registration_authority.evidence.events import SENTENCES as EVIDENCE
        from registration_authority.revocation import todos as revocations
        from registration_authority.revocation.events import SENTENCES as REVOCATION
        from registration_authority.watch import todos as watch
        from registration_authority.watch.events import SENTENCES as WATCH
        from socle.notices.todos import register

        adapters.register(training.ADAPTER, training.TrainingAuthority)
        adapters.register(portal.ADAPTER, portal.PortalAuthority)
        adapters.register(cmp.ADAPTER, cmp.CmpAuthority)
        crypto.register(
            "registration_authority.TrainingKey", "sealed_key", purpose=training.PURPOSE
        )
        crypto.register("registration_authority.CmpLink", "sealed_key", purpose=cmp.PURPOSE)
        navigation.register(
            Door(
                Scope.PORTAL,
                "Certificats",
                "registration_authority:files",
                Capability.RA_READ,
                30,
                "key",
            ),
            Door(
                Scope.PORTAL,
                "Règles des certificats",
                "registration_authority:rules",
                Capability.RA_RULES,
                31,
                "key",
            ),
            Door(
                Scope.COMMUNE,
                "Mon certificat",
                "certificates:mine",
                Capability.CERTIFICATES_OWN,
                70,
                "key",
            ),
        )
        register(Scope.PORTAL, Capability.RA_CHECK, todos.to_check)
        register(Scope.PORTAL, Capability.RA_CHECK, todos.to_carry)
        register(Scope.PORTAL, Capability.RA_REVOKE, todos.to_revoke)
        register(Scope.PORTAL, Capability.RA_REVOKE, revocations.to_decide)
        register(Scope.PORTAL, Capability.RA_READ, watch.to_look_at)
        register(Scope.PORTAL, Capability.RA_FACE_TO_FACE, todos.to_receive)
        register(Scope.PORTAL, Capability.RA_HAND_OVER, todos.to_hand_over)
        register(Scope.PORTAL, Capability.RA_READ, todos.expiring)
        register(Scope.COMMUNE, Capability.CERTIFICATES_OWN, todos.own)
        events.register({**REVOCATION, **WATCH, **EVIDENCE})
        events.register(
            {
                "ra.file_opened": "Dossier de certificat ouvert pour {holder} ({offer})",
                "ra.file_submitted": "Dossier de certificat de {holder} envoyé au guichet",
                "ra.file_taken": "Dossier de certificat de {holder} pris en charge",
                "ra.file_closed": "Dossier de certificat de {holder} clos, {state} : {reason}",
                "ra.piece_deposited": "{piece} : déposée au dossier de certificat",
                "ra.piece_read": "{piece} : consultée",
                "ra.piece_accepted": "{piece} : acceptée",
                "ra.piece_refused": "{piece} : refusée. Motif : {reason}",
                "ra.pieces_checked": "Toutes les pièces du dossier de {holder} sont vérifiées",
                "ra.face_to_face_held": "Face à face avec {holder} à {place} ({document})",
                "ra.face_to_face_carried": "Renouvellement de {holder} sans nouveau face à face",
                "ra.renewal_told": "Fin du certificat rappelée, {days} jours avant au plus",
                "ra.renewal_muted": "Rappels de fin du certificat de {holder} arrêtés",
                "ra.request_deposited": "Demande de certificat déposée",
                "ra.issue_asked": "Certificat de {holder} demandé à l’autorité",
                "ra.issue_failed": "Certificat non établi : {reason}",
                "ra.answer_refused": "Réponse de l’autorité écartée : {reason}",
                "ra.request_exported": "Demande de {holder} préparée pour le portail de l’autorité",
                "ra.found_revoked": (
                    "Certificat {serial} de {holder} révoqué par l’autorité sans demande d’ici"
                ),
                "ra.list_brought": "Liste de révocation de {authority} versée",
                "ra.issued": "Certificat {serial} établi pour {holder}, valable jusqu’au {until}",
                "ra.receipt_prepared": "Procès-verbal de remise préparé pour {holder}",
                "ra.receipt_kept": "Procès-verbal signé par {holder} versé au dossier",
                "ra.handed_over": "Certificat {serial} remis à {holder}, support {token}",
                "ra.revoked": "Certificat {serial} de {holder} révoqué : {reason}",
            }
        )
