"""What happens around a login: one function per event."""

import hashlib
import secrets
from datetime import datetime

from django.contrib.auth import authenticate
from django.db import transaction
from django.http import HttpRequest

from socle.accounts import policies
from socle.accounts.gateway import Presented
from socle.accounts.models import (
    Authenticator,
    CertificateBody,
    CertificateLevel,
    Login,
    LoginAttempt,
    LoginCertificate,
    Person,
    RecoveryCode,
    StepUpRule,
    Ticket,
)
from socle.journal.actions import record

CODE_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def check_password(
    *, request: HttpRequest, email: str, password: str, address: str, at: datetime
) -> Person:
    """The person with these credentials.

    Raises TooManyAttempts or WrongCredentials; every wrong password is counted, outside any
    transaction that could take the count back.
    """
    name = email.strip().lower()
    check_attempts(name=name, address=address, at=at)
    person = authenticate(request, email=email, password=password)
    if not isinstance(person, Person):
        count_attempt(name=name, address=address, at=at)
        raise policies.WrongCredentials(
            "L’adresse ou le mot de passe n’est pas le bon : vérifiez-les et recommencez."
        )
    return person


def check_attempts(*, name: str, address: str, at: datetime) -> None:
    """Refuse a try under `name` when too many failed lately. Raises TooManyAttempts.

    `name` is what is typed to say who one is: an address in small letters, a login.
    """
    recent = LoginAttempt.objects.filter(at__gt=at - policies.WINDOW)
    policies.check_attempts(
        by_person=recent.filter(email_digest=_digest(name)).count(),
        by_address=recent.filter(address=address).count(),
    )


def count_attempt(*, name: str, address: str, at: datetime) -> None:
    """Remember a try that failed, outside any transaction that could take the count back."""
    LoginAttempt.objects.create(email_digest=_digest(name), address=address, at=at)


def check_second_factor(*, person: Person, code: str, at: datetime) -> str:
    """Accept six digits or a recovery code and return the factor's name. Raises WrongCode."""
    typed = code.replace(" ", "").replace("-", "").lower()
    if _use_authenticator(person, typed):
        return "totp"
    if _use_recovery_code(person, typed, at):
        return "recovery"
    raise policies.WrongCode(
        "Ce code n’est pas le bon, ou il a déjà servi : attendez le code suivant "
        "sur votre téléphone et saisissez-le."
    )


@transaction.atomic
def _use_authenticator(person: Person, typed: str) -> bool:
    devices = Authenticator.objects.select_for_update().filter(user=person, confirmed=True)
    return any(device.verify_token(typed) for device in devices)


def _use_recovery_code(person: Person, typed: str, at: datetime) -> bool:
    unused = RecoveryCode.objects.filter(person=person, digest=_digest(typed), used_at=None)
    return unused.update(used_at=at) == 1


@transaction.atomic
def confirm_authenticator(*, person: Person, code: str) -> list[str]:
    """Confirm the prepared authenticator with its first code; return the ten recovery codes.

    They are shown once and only their digests are kept. Raises WrongCode.
    """
    device = Authenticator.objects.select_for_update().filter(user=person, confirmed=False).last()
    if device is None or not device.verify_token(code.replace(" ", "")):
        raise policies.WrongCode(
            "Ce code n’est pas le bon : vérifiez l’heure de votre téléphone, "
            "puis saisissez le code qui s’affiche."
        )
    Authenticator.objects.filter(user=person).exclude(pk=device.pk).delete()
    device.confirmed = True
    device.save(update_fields=["confirmed"])
    return renew_recovery_codes(person=person)


@transaction.atomic
def renew_recovery_codes(*, person: Person) -> list[str]:
    """Replace the recovery codes of `person`; returns the new ones, to be shown once."""
    codes = [_new_code() for _ in range(policies.RECOVERY_CODES)]
    person.recovery_codes.all().delete()
    RecoveryCode.objects.bulk_create(
        RecoveryCode(person=person, digest=_digest(code.replace("-", ""))) for code in codes
    )
    return codes


def check_certificate(*, person: Person, shown: Presented | None, at: datetime) -> LoginCertificate:
    """The certificate of `person` that the gateway presents: same issuer, serial and bytes.

    Raises CertificateRefused, with what is wrong and what to do.
    """
    if shown is None:
        raise policies.CertificateRefused(
            "Votre navigateur n’a présenté aucun certificat : branchez votre support, fermez puis "
            "rouvrez le navigateur, et choisissez votre certificat quand il le demande."
        )
    if shown.problem:
        raise policies.refused_by_gateway(shown.problem)
    known = LoginCertificate.objects.filter(issuer=shown.issuer, serial=shown.serial).first()
    if known is None or known.fingerprint != shown.fingerprint:
        raise policies.CertificateRefused(
            "Ce certificat n’est pas enregistré ici : apportez-le à votre syndicat, ou entrez avec "
            "le code de votre téléphone."
        )
    if known.person_id != person.pk:
        raise policies.CertificateRefused(
            "Ce certificat est celui d’une autre personne : utilisez le vôtre."
        )
    if known.withdrawn_at is not None:
        raise policies.CertificateRefused(
            "Ce certificat est révoqué : il ne servira plus, demandez-en un autre à votre syndicat."
        )
    if not known.is_usable(at):
        raise policies.CertificateRefused(
            "Ce certificat n’est pas dans ses dates de validité : demandez le suivant à votre "
            "syndicat."
        )
    return known


def confirm_login(*, login_id: str, factor: str, at: datetime) -> None:
    """Record that the person proved again that it is she, on every host this login reached."""
    Login.objects.filter(pk=login_id, ended_at=None).update(
        confirmed_at=at, confirmed_factor=factor
    )


@transaction.atomic
def agree_body(
    *, certificate: LoginCertificate, siren: str, by: Person, at: datetime
) -> CertificateBody:
    """Another body lets a certificate be used for it; twice is once."""
    agreed, new = CertificateBody.objects.get_or_create(
        certificate=certificate, siren=siren, defaults={"agreed_at": at}
    )
    if new:
        record(
            event="accounts.body_agreed",
            subject=certificate,
            by=by,
            at=at,
            detail={"serial": certificate.serial, "siren": siren},
        )
    return agreed


@transaction.atomic
def set_step_up(*, siren: str, minutes: int, factor: str, by: Person, at: datetime) -> None:
    """What a body asks before something leaves in its name; no minutes takes the rule away."""
    if minutes:
        StepUpRule.objects.update_or_create(
            siren=siren, defaults={"minutes": minutes, "factor": factor}
        )
    else:
        StepUpRule.objects.filter(siren=siren).delete()
    record(
        event="accounts.step_up_set",
        subject=("organisation", siren),
        by=by,
        at=at,
        detail={"siren": siren, "minutes": str(minutes), "factor": factor},
    )


def open_login(*, person: Person, factor: str, at: datetime) -> Login:
    """Record that `person` came in with both factors."""
    return Login.objects.create(person=person, factor=factor, started_at=at)


def end_login(*, login_id: str, at: datetime) -> None:
    """Close a login on every host it reached; closing twice changes nothing."""
    Login.objects.filter(pk=login_id, ended_at=None).update(ended_at=at)


def end_all_logins(*, person: Person, at: datetime) -> int:
    """Close every login of a person, on every host; how many were open."""
    return Login.objects.filter(person=person, ended_at=None).update(ended_at=at)


def issue_ticket(*, login_id: str, host: str, at: datetime) -> str:
    """A single-use pass to `host` for an open login; returns the secret to put in the address."""
    secret = secrets.token_urlsafe(32)
    Ticket.objects.create(
        digest=_digest(secret),
        login_id=login_id,
        host=host,
        expires_at=at + policies.TICKET_LIFE,
    )
    return secret


@transaction.atomic
def use_ticket(*, secret: str, host: str, at: datetime) -> Login:
    """The login a ticket stands for; works once, on its host, for thirty seconds.

    Raises TicketRefused.
    """
    fresh = Ticket.objects.filter(
        digest=_digest(secret), host=host, used_at=None, expires_at__gte=at, login__ended_at=None
    )
    if fresh.update(used_at=at) != 1:
        raise policies.TicketRefused(
            "Ce passage d’une commune à l’autre a expiré : revenez en arrière et recommencez."
        )
    ticket = Ticket.objects.select_related("login__person").get(digest=_digest(secret))
    return ticket.login


@transaction.atomic
def register_certificate(
    *,
    person: Person,
    siren: str,
    issuer: str,
    serial: str,
    fingerprint: str,
    level: CertificateLevel,
    not_before: datetime,
    not_after: datetime,
) -> LoginCertificate:
    """Make a handed-over certificate known to the login; the same one twice is one."""
    certificate, _ = LoginCertificate.objects.get_or_create(
        fingerprint=fingerprint,
        defaults={
            "person": person,
            "siren": siren,
            "issuer": issuer,
            "serial": serial,
            "level": level,
            "not_before": not_before,
            "not_after": not_after,
        },
    )
    return certificate


def withdraw_certificate(*, fingerprint: str, at: datetime) -> None:
    """Take a certificate out of use from `at` on; the first date stands."""
    LoginCertificate.objects.filter(fingerprint=fingerprint, withdrawn_at=None).update(
        withdrawn_at=at
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _new_code() -> str:
    half = ("".join(secrets.choice(CODE_ALPHABET) for _ in range(5)) for _ in range(2))
    return "-".join(half)
