from importlib import import_module
from typing import Final

from django.apps import AppConfig

from socle.accounts import navigation
from socle.accounts.capabilities import Capability
from socle.accounts.navigation import Door, Scope
from socle.core import crypto
from socle.journal import events

ROOMS: Final = ("accreditation", "dossier", "slots", "stock", "service")


class RegistrationAuthorityConfig(AppConfig):
    name = "registration_authority"
    label = "registration_authority"
    verbose_name = "Autorité d’enregistrement"

    def import_models(self) -> None:
        """The models of the sub-packages are of this application too."""
        super().import_models()
        for room in ROOMS:
            import_module(f"{self.name}.{room}.models")

    def ready(self) -> None:
        from registration_authority import adapters, cmp, portal, todos, training
        from registration_authority.dossier import vault
        from registration_authority.evidence.events import SENTENCES as EVIDENCE
        from registration_authority.revocation import todos as revocations
        from registration_authority.revocation.events import SENTENCES as REVOCATION
        from registration_authority.watch import todos as watch
        from registration_authority.watch import trust as authorities
        from registration_authority.watch.events import SENTENCES as WATCH
        from socle.documents import trust
        from socle.notices.todos import register

        trust.register(authorities.anchors)
        adapters.register(training.ADAPTER, training.TrainingAuthority)
        adapters.register(portal.ADAPTER, portal.PortalAuthority)
        adapters.register(cmp.ADAPTER, cmp.CmpAuthority)
        crypto.register(
            "registration_authority.TrainingKey", "sealed_key", purpose=training.PURPOSE
        )
        crypto.register("registration_authority.CmpLink", "sealed_key", purpose=cmp.PURPOSE)
        crypto.register("registration_authority.IdentityCopy", "sealed_key", purpose=vault.PURPOSE)
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
        for capability, provider in todos.COUNTER:
            register(Scope.PORTAL, capability, provider)
        register(Scope.PORTAL, Capability.RA_REVOKE, revocations.to_decide)
        register(Scope.PORTAL, Capability.RA_READ, watch.to_look_at)
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
                "ra.face_to_face_held": "Face à face avec {holder}, {place} ({document})",
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
                "ra.handed_over": "Certificat {serial} remis à {holder} (support : {token})",
                "ra.uncollected": (
                    "Certificat {serial} de {holder} révoqué : pas retiré en {days} jours"
                ),
                "ra.acknowledged": "{holder} a reçu son support de son mandataire",
                "ra.check_overridden": (
                    "Certificat de {holder} remis bien qu’un opérateur le refuse : {reason}"
                ),
                "ra.answer_late": (
                    "Demande de {holder} : l’autorité ne répond pas depuis {days} jours"
                ),
                "ra.attestation_kept": "Attestation de face à face avec {holder} versée",
                "ra.note_added": "Note ajoutée au dossier de {holder}",
                "ra.file_held": "Dossier de {holder} mis en attente : {reason}",
                "ra.file_resumed": "Dossier de {holder} repris",
                "ra.file_released": "Dossier de {holder} libéré pour les collègues",
                "ra.route_set": "Dossier de {holder} signé par {signatory}, par {proxy}",
                "ra.mandate_recorded": "{kind} inscrit : {person}",
                "ra.mandate_ended": "Mandat de {person} terminé le {until}",
                "ra.copy_purged": "{piece} détruite ({clock}), empreinte {sha256}",
                "ra.batch_opened": "Lot « {label} » : {count} dossiers demandés",
                "ra.policy_written": "Politique de « {offer} » enregistrée ({document})",
                "ra.rule_written": "{piece} : règle enregistrée pour « {offer} »",
                "ra.convention_recorded": "Convention enregistrée : {convention}",
                "ra.operator_named": "{person} accrédité(e) : {powers}",
                "ra.operator_removed": "Accréditation de {person} retirée : {reason}",
                "ra.power_denied": "« {power} » interdit à {person} : {reason}",
                "ra.denial_lifted": "« {power} » rendu à {person}",
                "ra.slots_opened": "{count} créneaux ouverts le {day} à {place}",
                "ra.slot_closed": "Créneau du {when} à {place} retiré",
                "ra.appointment_booked": "Rendez-vous de {holder} le {when} à {place}",
                "ra.appointment_moved": "Rendez-vous de {holder} déplacé au {when} à {place}",
                "ra.appointment_cancelled": "Rendez-vous de {holder} du {when} annulé",
                "ra.location_added": "Lieu de stock ajouté : {place}",
                "ra.tokens_received": "Livraison {batch} : {count} supports",
                "ra.token_moved": "Support {token} : {state} ({reason})",
                "ra.stock_counted": "Inventaire de {place} : {found} trouvés, absents : {missing}",
                "ra.sleeve_opened": "Pochette {sleeve} ouverte",
                "ra.sleeve_sent": "Pochette {sleeve} envoyée, {count} procès-verbaux",
                "ra.store_brought": "Autorités acceptées par {operator} : {count}",
                "ra.pairings_opened": "Comptes d’opérateurs à appairer : {count}",
                "ra.paired": "{account} fonctionne avec le nouveau certificat",
                "ra.pairing_failed": "{account} ne fonctionne pas encore : {reason}",
                "ra.revoked": "Certificat {serial} de {holder} révoqué : {reason}",
            }
        )
