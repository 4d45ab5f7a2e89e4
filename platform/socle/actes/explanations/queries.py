"""Questions about the explanations."""

from socle.actes.explanations.models import Explanation
from socle.actes.explanations.texts import Text, explain, merged


def texts() -> dict[str, Text]:
    """Every text by its code."""
    written = Explanation.objects.values_list("code", "meaning", "remedy")
    return merged(Text(code, meaning, remedy, own=True) for code, meaning, remedy in written)


def of(nature: str, detail: str) -> Text:
    """What an anomaly means and what to do."""
    return explain(nature, detail, texts())
