"""The one way Socle says no."""


class Refusal(Exception):
    """What was asked cannot be done.

    `str(refusal)` is one French sentence, fit for a person: what is wrong, where, and what to do.
    `code` names the rule for logs, tests and the journal; `field` the form field at fault, if any.
    """

    code = "refused"

    def __init__(self, sentence: str, *, code: str = "", field: str = "") -> None:
        super().__init__(sentence)
        self.code = code or self.code
        self.field = field
