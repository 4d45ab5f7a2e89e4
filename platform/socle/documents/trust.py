"""The authorities whose signatures are believed: upper rooms that keep them say which."""

from collections.abc import Callable, Iterable

Source = Callable[[], Iterable[str]]

_sources: list[Source] = []


def register(source: Source) -> None:
    """Let `source` name the certificates (PEM) of the authorities it recognises today."""
    _sources.append(source)


def anchors() -> list[str]:
    """The certificates, PEM, of every authority recognised today."""
    return [one for source in _sources for one in source()]
