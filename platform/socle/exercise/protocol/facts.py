"""The facts an office remembers, each as one line of text that names it wholly."""


def act_received(act_id: str) -> str:
    """An act was received under this `IDActe`."""
    return f"acte {act_id}"


def act_cancelled(act_id: str) -> str:
    """The act was cancelled by its commune."""
    return f"annulation {act_id}"


def letter_sent(act_id: str, code: str, day: str) -> str:
    """A letter of this code, dated `day` (AAAA-MM-JJ), was sent about the act."""
    return f"courrier {act_id} {code} {day}"


def number_used(*, siren: str, nature: int, year: int, number: str) -> str:
    """The internal number is taken, for good: nothing says that a cancellation frees it."""
    return f"numero {siren} {nature} {year} {number}"


def bordereau_received(*, budget: str, domain: str, year: str, kind: str, number: str) -> str:
    """A bordereau was taken in: numbers are unique per budget, exercice and type of bordereau."""
    return f"bordereau {budget} {domain} {year} {kind} {number}"


def attachment_received(*, budget: str, unique_id: str) -> str:
    """An attachment (PJ) was taken in under this `IdUnique`."""
    return f"piece-jointe {budget} {unique_id}"
