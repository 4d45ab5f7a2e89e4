"""Whether two accounts are one human being: four eyes are two people, not two addresses."""

from registration_authority.models import FaceToFace
from socle.accounts.models import Person
from socle.core.text import fold


def same_person(one: Person, other: Person) -> bool:
    """Whether two accounts may be one person: account, address, name, or identity document.

    Namesakes count as one person: a third one acts in their place, which costs little.
    """
    return (
        one.pk == other.pk
        or _mailbox(one) == _mailbox(other)
        or fold(str(one)) == fold(str(other))
        or _share_a_document(one, other)
    )


def _mailbox(person: Person) -> str:
    """The mailbox behind an address: « camille+ra@x.fr » is read by camille@x.fr."""
    local, _, host = person.email.casefold().partition("@")
    return f"{local.partition('+')[0]}@{host}"


def _share_a_document(one: Person, other: Person) -> bool:
    seen = FaceToFace.objects.filter(holder__in=(one.pk, other.pk)).exclude(document_digest="")
    owners: dict[str, set[int]] = {}
    for digest, owner in seen.values_list("document_digest", "holder_id"):
        owners.setdefault(digest, set()).add(owner)
    return any(len(both) > 1 for both in owners.values())
