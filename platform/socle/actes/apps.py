from django.apps import AppConfig

from socle.accounts import navigation
from socle.accounts.capabilities import Capability
from socle.accounts.navigation import Door, Scope
from socle.journal import events


class ActesConfig(AppConfig):
    name = "socle.actes"
    label = "actes"
    verbose_name = "@CTES"

    def ready(self) -> None:
        from socle.actes import archive_queries, letter_queries, queries, returns, stuck
        from socle.delivery import banners, handlers
        from socle.directory.models import Protocol
        from socle.notices import todos

        handlers.register(
            Protocol.ACTES,
            handlers.Room(
                sent=returns.sent,
                refused=returns.refused,
                receive=returns.receive,
                check=returns.check,
            ),
        )
        banners.register(Protocol.ACTES, "actes:list", Capability.ACTS_READ)
        navigation.register(
            Door(Scope.COMMUNE, "Actes", "actes:list", Capability.ACTS_READ, 10, "act")
        )
        todos.register(Scope.COMMUNE, Capability.ACTS_PREPARE, letter_queries.todos)
        todos.register(Scope.COMMUNE, Capability.ACTS_PREPARE, queries.todos)
        todos.register(Scope.COMMUNE, Capability.ACTS_PREPARE, stuck.todos)
        todos.register(Scope.COMMUNE, Capability.ACTS_TRANSMIT, archive_queries.todos)
        events.register(
            {
                "actes.drafted": "Brouillon de l’acte {number} enregistré",
                "actes.discarded": "Brouillon de l’acte {number} supprimé",
                "actes.duplicated": "Brouillon de l’acte {number} ouvert sur le modèle de l’acte "
                "{model}",
                "actes.habits_set": "Réglages des actes : numéros {patterns} ; tampon {corner}",
                "actes.batch_begun": "Lot d’actes ouvert",
                "actes.batch_file_refused": "Fichier {file} du lot refusé : {why}",
                "actes.batch_asked": "Envoi d’un lot de {count} actes demandé",
                "actes.batch_act_refused": "Acte {number} du lot non transmis : {why}",
                "actes.waiting": "Acte {number} prêt : il partira dès que la préfecture aura "
                "envoyé sa classification",
                "actes.taken_back": "Acte {number} repris en brouillon avant son départ",
                "actes.given_back": "Acte {number} redevenu brouillon : {why}",
                "actes.deposited": "Acte {number} transmis, dans l’archive {archive}",
                "actes.sent": "{what} : remis à l’opérateur de transmission",
                "actes.operator_refused": "Acte {number} non pris par l’opérateur : {why}",
                "actes.acknowledged": "Acte {number} reçu en préfecture le {received_on} sous "
                "l’identifiant {identifier}",
                "actes.anomaly": "Acte {number} refusé par la préfecture : {detail}",
                "actes.late_anomaly": "Anomalie arrivée après l’accusé de réception, qui reste "
                "valable : {detail}",
                "actes.not_stamped": "Fichier {file} sans copie tamponnée : {why}",
                "actes.published": "Acte {number} publié le {on}",
                "actes.unpublished": "Date de publication de l’acte {number} retirée",
                "actes.cancellation_asked": "Annulation de l’acte {number} demandée à la "
                "préfecture",
                "actes.cancellation_failed": "Annulation de l’acte {number} refusée par la "
                "préfecture : {detail}",
                "actes.cancelled": "Annulation de l’acte {number} reçue en préfecture le "
                "{received_on}",
                "actes.letter_received": "Arrivé de la préfecture sur l’acte {number} : {what} du "
                "{dated}",
                "actes.letter_paper_missing": "{what} : le document {file}, annoncé, n’est pas "
                "arrivé",
                "actes.receipt_waits": "{what} : l’accusé de réception attend qu’une personne "
                "puisse télétransmettre",
                "actes.letter_read": "{what} lu",
                "actes.reply_prepared": "{what} : réponse préparée ({answer})",
                "actes.reply_dropped": "{what} : réponse préparée abandonnée",
                "actes.reply_deposited": "{what} : réponse transmise ({answer}), dans l’archive "
                "{archive}",
                "actes.reply_not_taken": "{what} non pris par l’opérateur : {why}",
                "actes.reply_refused": "{what} refusé par la préfecture : {why}",
                "actes.reply_acknowledged": "{what} : reçu en préfecture le {received_on}",
                "actes.posted": "Acte {number} mis en ligne au registre public, auteur : {author}",
                "actes.withdrawn": "Acte {number} retiré du registre public",
                "actes.bundle_asked": "Export {kind} de {count} actes avec leurs preuves demandé",
                "actes.bundle_taken": "Export téléchargé : {name}, {count} actes",
                "actes.archive_asked": "Acte {number} mis dans le versement {transfer} au service "
                "d’archives",
                "actes.archive_failed": "Versement {transfer} impossible à faire : {why}",
                "actes.archive_taken": "Paquet du versement {transfer} téléchargé",
                "actes.archive_dropped": "Versement {transfer} abandonné avant son dépôt",
                "actes.archive_deposited": "Versement {transfer} reçu par le service d’archives",
                "actes.archive_accepted": "Acte {number} archivé : versement {transfer} accepté "
                "par le service d’archives",
                "actes.archive_refused": "Versement {transfer} refusé par le service d’archives : "
                "{why}",
                "actes.exported": "Export CSV de {count} actes",
                "actes.paper_reminder": "La préfecture rappelle que des pièces de l’acte {number} "
                "sont attendues sur papier",
                "actes.unmatched": "Message de la préfecture sans acte correspondant : {why}",
                "actes.classification_asked": "Classification demandée à la préfecture",
                "actes.classification_received": "Classification du {date} reçue de la préfecture",
                "actes.classification_refused": "Demande de classification refusée : {why}",
                "actes.classification_not_asked": "Classification non demandée : {why}",
            }
        )
