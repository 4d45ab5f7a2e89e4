"""Whether an operator may use a power for an offer now: asked of the database at each action."""

from datetime import datetime

from django.db.models import F

from registration_authority.accreditation import policies, session
from registration_authority.accreditation.identity import same_person
from registration_authority.accreditation.models import Denial, Operator, Power
from registration_authority.dossier.profiles import profile_of
from registration_authority.models import CertificationAuthority, Offer
from socle.accounts.models import Person
from socle.core.clock import legal_date


def check_power(by: Person, power: Power, *, offer: Offer, at: datetime) -> None:
    """Refuse an operator who was denied this, lacks it, or acts without her certificate.

    A denial beats every grant, and follows the person to her other accounts. Raises Denied,
    NotAccredited, NoOperatorCertificate.
    """
    profile, authority = profile_of(offer), offer.authority
    check_not_denied(by, power, authority=authority)
    if profile.accreditation_required:
        named = accreditation(by, authority)
        policies.check_holds(named, power, authority=str(authority), on=legal_date(at))
    if profile.operator_certificate_required and not session.acts_with_certificate(by, at=at):
        raise policies.NoOperatorCertificate(
            f"La politique de « {offer} » demande que vous agissiez avec votre propre certificat : "
            "branchez votre support, ouvrez la page « Confirmation » (/confirmation/), puis "
            "recommencez."
        )


def check_not_denied(by: Person, power: Power, *, authority: CertificationAuthority | None) -> None:
    """Refuse somebody to whom this power is denied, here or everywhere. Raises Denied."""
    written = Denial.objects.filter(power=power, lifted_at=None).select_related("person")
    for denial in written:
        reaches = denial.authority_id is None or (
            authority is not None and denial.authority_id == authority.pk
        )
        if reaches and same_person(denial.person, by):
            raise policies.Denied(
                f"« {power.label} » vous est interdit depuis le "
                f"{legal_date(denial.denied_at):%d/%m/%Y} : {denial.reason}"
            )


def accreditation(person: Person, authority: CertificationAuthority) -> Operator | None:
    """The newest accreditation of a person at an authority, the removed ones last."""
    found = Operator.objects.filter(person=person, convention__authority=authority)
    newest_first = (F("removed_at").desc(nulls_first=True), "-convention__starts_on", "-pk")
    return found.select_related("convention__authority").order_by(*newest_first).first()
