"""How a message to a worker says on which server its work is: a header, and a queue. No Django."""

from typing import Any, Final

CELL: Final = "socle_cell"
_FIRST: Final = "celery"
_MAIN: Final = "main"


def queue_of(cell: str) -> str:
    """The queue of the work of `cell`; the main one has Celery's own, as it always had."""
    return _FIRST if cell == _MAIN else cell


def message_to(cell: str) -> dict[str, Any]:
    """The options of `apply_async` for work in `cell`."""
    return {"queue": queue_of(cell), "headers": {CELL: cell}}
