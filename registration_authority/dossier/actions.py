"""Notes, waiting, release, mandates and the purge of copies: one function per event."""

from datetime import date, datetime

from django.db import transaction

from registration_authority import permissions
from registration_authority.accreditation.identity import same_person
from registration_authority.accreditation.models import Power
from registration_authority.dossier import policies
from registration_authority.dossier.models import (
    Mandate,
    MandateKind,
    Note,
    PieceRule,
    PolicyProfile,
)
from registration_authority.dossier.profiles import profile_of
from registration_authority.models import (
    OPEN_STATES,
    CertificateFile,
    FileState,
)
from registration_authority.policies import (
    ForbiddenStep,
    NeedsReason,
    WrongMoment,
    check_free_text,
    check_reason,
)
from registration_authority.trace import journal, tell_holder
from socle.accounts.models import Person
from socle.core.clock import legal_date
from socle.directory import queries as directory
from socle.directory.models import Organisation
from socle.journal.actions import record


@transaction.atomic
def add_note(*, file_id: int, text: str, by: Person, at: datetime) -> Note:
    """Tell the other officers something; the commune never sees it. NeedsReason, SecretInText."""
    file = locked(file_id)
    permissions.check_can_serve(by, file)
    told = text.strip()
    if not told:
        raise NeedsReason("Écrivez la note.", field="text")
    check_free_text(text=told)
    note = Note.objects.create(file=file, author=by, at=at, text=told)
    record(
        event="ra.note_added",
        subject=file,
        by=by,
        at=at,
        detail={"holder": str(file.holder)},
        schema="public",
    )
    return note


@transaction.atomic
def hold(*, file_id: int, reason: str, by: Person, at: datetime) -> CertificateFile:
    """Stop a file until the commune answers; its holder reads why. Again replaces the reason.

    Raises OwnFile, FileLocked, ForbiddenStep, NeedsReason, SecretInText.
    """
    file = locked(file_id)
    permissions.check_can_serve(by, file, power=Power.CHECK_FILE, at=at)
    policies.check_free(file, by, at=at)
    told = check_reason(reason)
    if file.state not in OPEN_STATES or file.state == FileState.DRAFT:
        raise ForbiddenStep("Ce dossier n’est pas au guichet : il n’y a rien à mettre en attente.")
    file.on_hold_since, file.on_hold_by, file.hold_reason = at, by, told
    file.save(update_fields=["on_hold_since", "on_hold_by", "hold_reason"])
    journal(file, "ra.file_held", by, at, holder=str(file.holder), reason=told)
    tell_holder(
        file,
        f"held:{at.isoformat()}",
        "Votre dossier de certificat attend une réponse",
        at,
        f"{told}\nRépondez à votre syndicat, ou déposez ce qu’il demande dans votre espace.",
    )
    return file


@transaction.atomic
def resume(*, file_id: int, by: Person, at: datetime) -> CertificateFile:
    """Go on with a file that waited; twice is once. Raises OwnFile."""
    file = locked(file_id)
    permissions.check_can_serve(by, file, power=Power.CHECK_FILE, at=at)
    if file.on_hold_since is not None:
        end_hold(file)
        journal(file, "ra.file_resumed", by, at, holder=str(file.holder))
    return file


def end_hold(file: CertificateFile) -> None:
    """The file goes on; the caller holds its lock and says why."""
    file.on_hold_since, file.on_hold_by, file.hold_reason = None, None, ""
    file.save(update_fields=["on_hold_since", "on_hold_by", "hold_reason"])


@transaction.atomic
def release(*, file_id: int, by: Person, at: datetime) -> CertificateFile:
    """Leave a file to the others, before its lock runs out. Raises FileLocked."""
    file = locked(file_id)
    policies.check_free(file, by, at=at)
    file.assigned_to, file.locked_until = None, None
    file.save(update_fields=["assigned_to", "locked_until"])
    journal(file, "ra.file_released", by, at, holder=str(file.holder))
    return file


# Who signs, and through whom


@transaction.atomic
def record_mandate(
    *,
    organisation: Organisation,
    kind: MandateKind,
    given_name: str,
    surname: str,
    starts_on: date,
    ends_on: date | None,
    proof: str,
    by: Person,
    at: datetime,
    person: Person | None = None,
) -> Mandate:
    """Write down who may sign for a body, or deal with its certificates. Raises WrongMoment.

    A « mandataire » needs an account: NeedsReason without one.
    """
    check_free_text(given_name=given_name, surname=surname, proof=proof)
    if ends_on is not None and ends_on < starts_on:
        raise WrongMoment("Le mandat finit avant de commencer : vérifiez.", field="ends_on")
    if kind == MandateKind.PROXY and person is None:
        raise NeedsReason(
            "Un mandataire de certification agit dans Socle : choisissez son compte.",
            field="person",
        )
    mandate = Mandate.objects.create(
        organisation=organisation,
        kind=kind,
        person=person,
        given_name=given_name.strip(),
        surname=surname.strip(),
        starts_on=starts_on,
        ends_on=ends_on,
        proof=proof.strip(),
        recorded_at=at,
        recorded_by=by,
    )
    record(
        event="ra.mandate_recorded",
        subject=mandate,
        by=by,
        at=at,
        detail={"person": str(mandate), "kind": mandate.get_kind_display()},
        schema=directory.journal_of(organisation),
    )
    return mandate


@transaction.atomic
def end_mandate(*, mandate_id: int, ends_on: date, by: Person, at: datetime) -> Mandate:
    """Write down the last day of a mandate. Raises WrongMoment."""
    mandate = (
        Mandate.objects.select_for_update(of=("self",))
        .select_related("organisation")
        .get(pk=mandate_id)
    )
    if ends_on < mandate.starts_on:
        raise WrongMoment("Le mandat finit avant de commencer : vérifiez.", field="ends_on")
    mandate.ends_on = ends_on
    mandate.save(update_fields=["ends_on"])
    record(
        event="ra.mandate_ended",
        subject=mandate,
        by=by,
        at=at,
        detail={"person": str(mandate), "until": ends_on.isoformat()},
        schema=directory.journal_of(mandate.organisation),
    )
    return mandate


@transaction.atomic
def set_route(
    *,
    file_id: int,
    by: Person,
    at: datetime,
    signed_by: Mandate | None = None,
    proxy: Mandate | None = None,
) -> CertificateFile:
    """Say who signs for the body and through which « mandataire » the file goes, if any.

    Raises OwnFile, ForbiddenStep, RouteNotAdmitted, MandateNotInForce.
    """
    file = locked(file_id)
    permissions.check_can_serve(by, file, power=Power.CHECK_FILE, at=at)
    if file.state not in (FileState.DRAFT, FileState.SUBMITTED):
        raise ForbiddenStep(
            "Les pièces de ce dossier sont déjà vérifiées : refusez d’abord celle qui change."
        )
    profile = profile_of(file.offer)
    _check_admitted(file, signed_by, (MandateKind.LEGAL, MandateKind.DELEGATE), "signed_by")
    _check_admitted(file, proxy, (MandateKind.PROXY,), "proxy")
    delegate = signed_by is not None and signed_by.kind == MandateKind.DELEGATE
    if (delegate and not profile.delegate_allowed) or (proxy and not profile.proxy_allowed):
        raise policies.RouteNotAdmitted(
            f"La politique de « {file.offer} » n’admet pas cet intermédiaire : le représentant "
            "légal signe, et la personne titulaire vient elle-même.",
            field="signed_by" if delegate and not profile.delegate_allowed else "proxy",
        )
    if proxy is not None:
        policies.check_mandate(proxy, on=legal_date(at), field="proxy")
    file.signed_by, file.proxy = signed_by, proxy
    file.save(update_fields=["signed_by", "proxy"])
    journal(
        file,
        "ra.route_set",
        by,
        at,
        holder=str(file.holder),
        signatory=str(signed_by or "le représentant légal"),
        proxy=str(proxy or "aucun mandataire"),
    )
    return file


def _check_admitted(
    file: CertificateFile,
    mandate: Mandate | None,
    kinds: tuple[MandateKind, ...],
    field: str,
) -> None:
    if mandate is None:
        return
    wrong = mandate.organisation_id != file.organisation_id or mandate.kind not in kinds
    if wrong or (mandate.kind == MandateKind.PROXY and _is_holder(mandate, file)):
        raise policies.RouteNotAdmitted(
            f"{mandate} ne peut pas tenir ce rôle pour « {file.organisation} » dans ce dossier.",
            field=field,
        )


def _is_holder(mandate: Mandate, file: CertificateFile) -> bool:
    return mandate.person is not None and same_person(mandate.person, file.holder)


def locked(file_id: int) -> CertificateFile:
    """A file, with what its policy needs, locked until the end of the transaction."""
    found: CertificateFile = (
        CertificateFile.objects.select_related(
            "organisation", "holder", "offer__authority", "offer__profile", "assigned_to"
        )
        .select_for_update(of=("self",))
        .get(pk=file_id)
    )
    return found


# The policy of an offer


@transaction.atomic
def write_profile(*, profile: PolicyProfile, by: Person | str, at: datetime) -> PolicyProfile:
    """Keep what the policy of an offer asks for, as it was typed and checked.

    The journal says of each value that changed what it was and what it is; nothing changed writes
    nothing.
    """
    former = PolicyProfile.objects.select_for_update().filter(offer=profile.offer).first()
    before = values_of(former) if former else {}
    after = values_of(profile)
    changed = {name: value for name, value in after.items() if before.get(name) != value}
    if former is not None and not changed:
        return former
    profile.save()
    record(
        event="ra.policy_written",
        subject=profile.offer,
        by=by,
        at=at,
        detail={
            "offer": profile.offer.name,
            "document": profile.document,
            "before": {name: before.get(name, "") for name in changed},
            "after": changed,
        },
        schema="public",
    )
    return profile


def values_of(profile: PolicyProfile) -> dict[str, str]:
    """What a policy says, by field, as the journal writes it down."""
    return {
        one.name: _told(getattr(profile, one.attname))
        for one in PolicyProfile._meta.concrete_fields
        if one.name not in ("id", "offer")
    }


def _told(value: object) -> str:
    if isinstance(value, list):
        return " ; ".join(str(one) for one in value)
    return "" if value is None else str(value)


@transaction.atomic
def write_rule(*, rule: PieceRule, by: Person, at: datetime) -> PieceRule:
    """Keep how one kind of piece is examined under a policy, and write down what it was."""
    former = PieceRule.objects.select_for_update().filter(pk=rule.pk).first()
    before, after = (_rule_values(one) if one else {} for one in (former, rule))
    rule.save()
    record(
        event="ra.rule_written",
        subject=rule.profile.offer,
        by=by,
        at=at,
        detail={
            "offer": rule.profile.offer.name,
            "piece": rule.get_kind_display(),
            "before": before,
            "after": after,
        },
        schema="public",
    )
    return rule


def _rule_values(rule: PieceRule) -> dict[str, str]:
    return {name: _told(getattr(rule, name)) for name in ("when", "max_age_days", "checks")}
