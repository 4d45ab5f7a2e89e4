"""The connection given and checked; what left and what was taken, written once."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from socle.accounts.models import Person
from socle.core.crypto import CannotUnseal, seal, unseal
from socle.core.refusals import Refusal
from socle.core.tls import check_authority, read_identity
from socle.delivery.models import TransmissionOperator
from socle.direct import mailbox, policies, post
from socle.direct.models import Credential, DirectLink, DirectMail, DirectPost
from socle.journal.actions import record

CERTIFICATE: Final = "direct.certificate"
KEY: Final = "direct.key"
PASSWORD: Final = "direct.password"  # noqa: S105 - the purpose a password is sealed for
IMAP_PASSWORD: Final = "direct.imap_password"  # noqa: S105 - idem
SEALED: Final = {
    "sealed_certificate": CERTIFICATE,
    "sealed_key": KEY,
    "sealed_password": PASSWORD,
    "sealed_imap_password": IMAP_PASSWORD,
}
"""The sealed columns of a connection, and what each is sealed for."""


class LinkNotOpen(Refusal):
    """The ministry or the mail server did not let us in."""

    code = "direct.link_not_open"


@transaction.atomic
def save_link(
    *, operator: TransmissionOperator, facts: Mapping[str, Any], by: Person | str, at: datetime
) -> DirectLink:
    """Create or change the connection of an operator; what is left empty is kept as it was.

    `facts`: `post_url`, `rescue_url`, `pins` (text), `legacy_tls`, `certificate` and `key` (bytes),
    `certificate_password`, `credential`, `login`, `password`, `imap_host`, `imap_port`,
    `imap_ca_pem`, `imap_login`, `imap_password`, `mailbox`, `senders` (text), `auth_server`.
    Raises UnusableLink or UnusableCertificate.
    """
    link = DirectLink.objects.select_for_update(of=("self",)).filter(
        operator=operator
    ).first() or DirectLink(operator=operator)
    _write_ministry(link, facts)
    _write_mailbox(link, facts)
    _check_complete(link)
    link.problem = ""
    link.save()
    record(
        event="direct.link_saved",
        subject=link,
        by=by,
        at=at,
        detail={
            "operator": operator.name,
            "certificate": link.certificate_subject,
            "senders": ", ".join(link.senders)[:500],
            "auth_server": link.auth_server,
        },
    )
    return link


def _write_ministry(link: DirectLink, facts: Mapping[str, Any]) -> None:
    for name in ("post_url", "rescue_url"):
        if facts.get(name):
            setattr(link, name, policies.check_url(facts[name], field=name))
    if facts.get("pins"):
        link.pins = policies.check_pins(facts["pins"])
    if facts.get("legacy_tls") is not None:
        link.legacy_tls = facts["legacy_tls"]
    if facts.get("certificate"):
        found = read_identity(
            certificate=facts["certificate"],
            key=facts.get("key") or b"",
            password=facts.get("certificate_password") or "",
        )
        link.sealed_certificate = seal(found.certificate, purpose=CERTIFICATE)
        link.sealed_key = seal(found.key, purpose=KEY)
        link.certificate_subject, link.certificate_until = found.subject, found.until
    if facts.get("credential"):
        link.credential = facts["credential"]
    if facts.get("login"):
        link.login = facts["login"]
    if facts.get("password"):
        link.sealed_password = seal(facts["password"].encode(), purpose=PASSWORD)
    if link.credential == Credential.NONE:
        link.login, link.sealed_password = "", b""


def _write_mailbox(link: DirectLink, facts: Mapping[str, Any]) -> None:
    if facts.get("imap_host"):
        link.imap_host = policies.check_mail_host(facts["imap_host"])
    if facts.get("imap_port"):
        link.imap_port = facts["imap_port"]
    if facts.get("imap_ca_pem"):
        link.imap_ca_pem = check_authority(facts["imap_ca_pem"])
    if facts.get("mailbox"):
        link.mailbox = policies.check_mailbox(facts["mailbox"])
    if facts.get("senders"):
        link.senders = policies.check_senders(facts["senders"])
    if facts.get("auth_server"):
        link.auth_server = policies.check_mail_host(facts["auth_server"], field="auth_server")
    if facts.get("imap_login"):
        link.imap_login = facts["imap_login"]
    if facts.get("imap_password"):
        link.sealed_imap_password = seal(facts["imap_password"].encode(), purpose=IMAP_PASSWORD)


def _check_complete(link: DirectLink) -> None:
    wanted = {
        "post_url": "l’adresse d’envoi du ministère",
        "pins": "l’empreinte du certificat du ministère",
        "sealed_certificate": "le certificat de l’opérateur",
        "imap_host": "le serveur de courriel",
        "imap_login": "l’identifiant de la boîte",
        "sealed_imap_password": "le mot de passe de la boîte",
    }
    for name, what in wanted.items():
        if not getattr(link, name):
            raise policies.UnusableLink(
                f"Il manque {what} : complétez le formulaire.",
                field=name.removeprefix("sealed_"),
            )
    if link.credential != Credential.NONE and not (link.login and link.sealed_password):
        raise policies.UnusableLink(
            "Donnez l’identifiant et le mot de passe que le ministère demande.", field="login"
        )


def target_of(link: DirectLink, *, url: str = "") -> post.Target:
    """Where archives go, and what opens it. Raises CannotUnseal."""
    password = _unsealed(link.sealed_password, PASSWORD) if link.login else ""
    basic, by_query = link.credential == Credential.BASIC, link.credential == Credential.POST
    return post.Target(
        url=url or link.post_url,
        pins=link.pins,
        certificate=unseal(bytes(link.sealed_certificate), purpose=CERTIFICATE),
        key=unseal(bytes(link.sealed_key), purpose=KEY),
        legacy_tls=link.legacy_tls,
        headers=post.basic(link.login, password) if basic else {},
        query={"user": link.login, "password": password} if by_query else {},
    )


def place_of(link: DirectLink) -> mailbox.Place:
    """The mailbox, and what opens it. Raises CannotUnseal."""
    return mailbox.Place(
        host=link.imap_host,
        port=link.imap_port,
        login=link.imap_login,
        password=_unsealed(link.sealed_imap_password, IMAP_PASSWORD),
        mailbox=link.mailbox,
        ca=link.imap_ca_pem,
    )


def _unsealed(sealed: bytes, purpose: str) -> str:
    return unseal(bytes(sealed), purpose=purpose).decode()


def check_link(*, link_id: int, by: Person | str, at: datetime) -> tuple[DirectLink, int]:
    """Greet the ministry and open the mailbox; the number of messages that wait there.

    Nothing is sent and nothing is taken. Raises LinkNotOpen with what was wrong.
    """
    link = DirectLink.objects.select_related("operator").get(pk=link_id)
    try:
        post.greet(target_of(link))
        with mailbox.Mailbox(place_of(link)) as box:
            waiting = len(box.uids())
    except CannotUnseal as fault:
        raise LinkNotOpen(
            "Les secrets de ce raccordement ne s’ouvrent plus avec la clé de la plateforme : "
            "enregistrez de nouveau le certificat et les mots de passe."
        ) from fault
    except (post.NotLeft, mailbox.MailboxUnavailable) as fault:
        note_problem(link, str(fault))
        raise LinkNotOpen(str(fault)) from fault
    with transaction.atomic():
        link.checked_at, link.problem = at, ""
        link.save(update_fields=["checked_at", "problem"])
        record(
            event="direct.link_checked",
            subject=link,
            by=by,
            at=at,
            detail={"operator": link.operator.name, "waiting": waiting},
        )
    return link, waiting


def note_problem(link: DirectLink, problem: str) -> None:
    """Write what keeps the connection closed, or that nothing does."""
    problem = problem[:500]
    if link.problem != problem:
        DirectLink.objects.filter(pk=link.pk).update(problem=problem)
        link.problem = problem


# What left


def start(operator: TransmissionOperator, *, name: str, sha256: str, at: datetime) -> None:
    """Write that an archive is about to leave, before its first byte does."""
    DirectPost.objects.update_or_create(
        operator=operator, name=name, defaults={"sha256": sha256, "started_at": at}
    )


def note_taken(operator: TransmissionOperator, *, name: str, at: datetime) -> None:
    """Write that the ministry took it."""
    DirectPost.objects.filter(operator=operator, name=name).update(taken_at=at)


def forget(operator: TransmissionOperator, *, name: str) -> None:
    """Write that the ministry said no: there is no doubt, the archive may go again."""
    DirectPost.objects.filter(operator=operator, name=name, taken_at=None).delete()


# What the mailbox held


def note_kept(
    operator: TransmissionOperator, *, validity: int, uid: int, sha256: str, at: datetime
) -> None:
    """Write that a message is kept here: from now on it may be removed there."""
    DirectMail.objects.update_or_create(
        operator=operator,
        uid_validity=validity,
        uid=uid,
        defaults={"sha256": sha256, "kept_at": at, "problem": ""},
        create_defaults={"sha256": sha256, "kept_at": at, "seen_at": at},
    )


def note_removed(operator: TransmissionOperator, *, validity: int, uid: int, at: datetime) -> None:
    """Write that a kept message was removed there."""
    DirectMail.objects.filter(
        operator=operator, uid_validity=validity, uid=uid, kept_at__isnull=False
    ).update(removed_at=at)


def note_left_behind(
    operator: TransmissionOperator, *, validity: int, uid: int, size: int, why: str, at: datetime
) -> None:
    """Write that a message could not be taken, and why; it stays where it is."""
    mail, _ = DirectMail.objects.get_or_create(
        operator=operator,
        uid_validity=validity,
        uid=uid,
        defaults={"size": size, "seen_at": at},
    )
    if mail.kept_at is None:
        mail.failures, mail.problem, mail.size = mail.failures + 1, why[:300], size
        mail.save(update_fields=["failures", "problem", "size"])
