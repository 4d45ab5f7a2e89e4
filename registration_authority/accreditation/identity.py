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
    digests = [
        set(
            FaceToFace.objects.filter(holder=who)
            .exclude(document_digest="")
            .values_list("document_digest", flat=True)
        )
        for who in (one, other)
    ]
    return bool(digests[0] & digests[1])
