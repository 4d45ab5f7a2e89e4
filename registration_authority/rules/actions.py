"""Writing the rules down, one function per event."""

from datetime import datetime
from typing import Any

from django.db import transaction

from registration_authority.models import Certificate, Offer
from registration_authority.permissions import check_can_serve
from socle.accounts import actions as accounts
from socle.accounts.models import CertificateBody, LoginCertificate, Person
from socle.core.clock import legal_date
from socle.core.refusals import Refusal
from socle.directory import queries as directory
from socle.directory.models import Organisation
from socle.journal.actions import record

PUBLIC = "public"


class UnknownBody(Refusal):
    """No organisation has this SIREN, or the person may do nothing there."""

    code = "ra.unknown_body"


@transaction.atomic
def set_rules(*, offer: Offer, rules: Any, by: Person, at: datetime) -> Offer:
    """Keep the rules of an offer (an unsaved or changed row), and write down what they are."""
    rules.offer = offer
    rules.save()
    told = {
        one.name: str(getattr(rules, one.attname))
        for one in rules._meta.concrete_fields
        if one.name not in ("id", "offer")
    }
    record(
        event="ra.rules_set",
        subject=offer,
        by=by,
        at=at,
        detail={"offer": offer.name, "rules": told},
        schema=PUBLIC,
    )
    return offer


@transaction.atomic
def set_step_up(*, siren: str, minutes: int, factor: str, by: Person, at: datetime) -> str:
    """What a body asks before something leaves in its name. Raises UnknownBody."""
    plain = siren.replace(" ", "")
    if not Organisation.objects.filter(siren=plain).exists():
        raise UnknownBody("Aucun organisme de ce SIREN : vérifiez les chiffres.", field="siren")
    accounts.set_step_up(siren=plain, minutes=minutes, factor=factor, by=by, at=at)
    return plain


@transaction.atomic
def agree_body(*, certificate_id: int, siren: str, by: Person, at: datetime) -> CertificateBody:
    """Let a certificate in use serve for another body too.

    Raises UnknownBody when the person may do nothing there, OwnFile.
    """
    certificate = Certificate.objects.select_related("file__holder").get(pk=certificate_id)
    check_can_serve(by, certificate.file)
    known = LoginCertificate.objects.filter(fingerprint=certificate.fingerprint).first()
    plain = siren.replace(" ", "")
    grants = directory.grants(certificate.file.holder, legal_date(at))
    if known is None or not grants.filter(organisation__siren=plain).exists():
        raise UnknownBody(
            f"{certificate.file.holder} n’est pas habilité(e) dans un organisme de ce SIREN, ou "
            "son certificat n’est pas remis : habilitez d’abord la personne dans l’annuaire.",
            field="siren",
        )
    return accounts.agree_body(certificate=known, siren=plain, by=by, at=at)
