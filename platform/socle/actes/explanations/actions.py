"""Write an explanation, or go back to the text Socle came with."""

from datetime import datetime

from django.db import transaction

from socle.accounts.models import Person
from socle.actes.explanations.models import Explanation
from socle.actes.explanations.texts import Text, check
from socle.journal.actions import record


@transaction.atomic
def write(*, code: str, meaning: str, remedy: str, by: Person, at: datetime) -> Text:
    """Say what a code means and what to do, for all the communes. Raises InvalidText."""
    text = check(code, meaning, remedy)
    kept, _ = Explanation.objects.update_or_create(
        code=text.code,
        defaults={
            "meaning": text.meaning,
            "remedy": text.remedy,
            "written_at": at,
            "written_by_label": str(by),
        },
    )
    detail = {"code": text.code, "meaning": text.meaning, "remedy": text.remedy}
    record(event="explanations.written", subject=kept, by=by, at=at, detail=detail)
    return text


@transaction.atomic
def reset(*, code: str, by: Person, at: datetime) -> bool:
    """Take the syndicat's text away; False when it wrote none."""
    kept = Explanation.objects.select_for_update().filter(code=code).first()
    if kept is None:
        return False
    record(event="explanations.reset", subject=kept, by=by, at=at, detail={"code": code})
    kept.delete()
    return True
