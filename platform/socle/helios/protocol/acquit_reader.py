"""Reading a PES_ACQUIT: version 1 is flat, version 2 nests its errors under pieces and lines."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from socle.helios.protocol.acquit import AckElement, AckError, Acquit, AcquitState
from socle.helios.protocol.header import HeaderTarget, read_boolean
from socle.helios.protocol.refusals import NotPes, TooManyObjects, UnreadableFile
from socle.helios.protocol.streaming import Source, local_name, read_received

MAX_ENTRIES: Final = 200_000

_ELEMENT: Final = "ACQUIT/ElementACQUIT"
_PIECE: Final = f"{_ELEMENT}/DetailPiece"
_LINE: Final = f"{_PIECE}/DetailLigne"
_NON_ACQUIT: Final = "pes_nonacquit"
_LABEL: Final = re.compile(r"\s*(\d{3,5})\s*-\s*(.*)", re.DOTALL | re.ASCII)


def read_acquit(source: Source) -> Acquit:
    """Read a PES_ACQUIT (v1 or v2) or a non-acquit, from bytes or a seekable stream.

    A damaged file whose NomFic could be read gives an `UNREADABLE` acquit, so that it still reaches
    its flux. Otherwise raises an `UnreadableFile`.
    """
    opened: list[_AcquitTarget] = []

    def make_target() -> _AcquitTarget:
        opened.append(_AcquitTarget())
        return opened[-1]

    try:
        return read_received(make_target, source).acquit()
    except UnreadableFile:
        if not opened[-1].header.nom_fic:
            raise
        return Acquit(opened[-1].header, AcquitState.UNREADABLE)


def is_acquit_root(name: str) -> bool:
    """True for the local name of the root of an acquit or of a non-acquit."""
    return name == "PES_ACQUIT" or name.lower().startswith(_NON_ACQUIT)


@dataclass(slots=True)
class _OpenElement:
    values: dict[str, str] = field(default_factory=dict)
    errors: list[AckError] = field(default_factory=list)

    def closed(self) -> AckElement:
        value = self.values.get
        return AckElement(
            domain=value("DomaineAck", ""),
            accepted=read_boolean(value("EtatAck", "")),
            exercice=value("ExerciceBord", ""),
            bordereau=value("NumBord", ""),
            id_unique=value("IdUnique", ""),
            id_marche=value("IdMarche", ""),
            errors=tuple(self.errors),
        )


class _AcquitTarget(HeaderTarget):
    def __init__(self) -> None:
        super().__init__()
        self._root_name = ""
        self._elements: dict[AckElement, list[AckElement]] = {}
        self._element = _OpenElement()
        self._piece = self._line = ""
        self._error: dict[str, str] = {}
        self._entries = 0
        self._watch_element()
        self.on(_PIECE, self._leave_piece, lambda: self._leave_piece({}))
        self.on_value(f"{_PIECE}/NumPiece", self._set_piece)
        self.on(_LINE, self._leave_line, lambda: self._leave_line({}))
        self.on_value(f"{_LINE}/NumLigne", self._set_line)
        for place in (_ELEMENT, _PIECE, _LINE):
            self._watch_error(f"{place}/Erreur")

    def open_root(self, tag: str) -> None:
        self._root_name = local_name(tag)
        if not is_acquit_root(self._root_name):
            raise NotPes(self._root_name, "un acquit PES")

    def acquit(self) -> Acquit:
        elements = tuple(_merged(same) for same in self._elements.values())
        if self._root_name.lower().startswith(_NON_ACQUIT):
            return Acquit(self.header, AcquitState.REFUSED, elements)
        return Acquit(self.header, _state(elements), elements)

    def _watch_element(self) -> None:
        self.on(_ELEMENT, self._open_element, self._close_element)
        for name in ("DomaineAck", "EtatAck", "NumBord", "ExerciceBord", "IdUnique", "IdMarche"):
            self.on_value(f"{_ELEMENT}/{name}", partial(self._set_element, name))
        self.on_value(f"{_ELEMENT}/NumPiece", self._set_piece)
        self.on_value(f"{_ELEMENT}/NumLigne", self._set_line)
        for name in ("NumAnoAck", "LibelleAnoAck"):
            self.on_value(f"{_ELEMENT}/{name}", partial(self._set_error, name))

    def _watch_error(self, error: str) -> None:
        self.on(error, lambda _: self._error.clear(), self._close_error)
        for name in ("NumAnoAck", "LibelleAnoAck"):
            self.on_value(f"{error}/{name}", partial(self._set_error, name))

    def _open_element(self, _attributes: Mapping[str, str]) -> None:
        self._element = _OpenElement()
        self._error.clear()
        self._piece = self._line = ""

    def _set_element(self, name: str, text: str) -> None:
        self._element.values[name] = text

    def _set_piece(self, text: str) -> None:
        self._piece = text

    def _set_line(self, text: str) -> None:
        self._line = text

    def _set_error(self, name: str, text: str) -> None:
        self._error[name] = text

    def _leave_piece(self, _attributes: Mapping[str, str]) -> None:
        self._piece = self._line = ""

    def _leave_line(self, _attributes: Mapping[str, str]) -> None:
        self._line = ""

    def _close_error(self) -> None:
        self._count()
        anomaly, text = self._error.get("NumAnoAck", ""), self._error.get("LibelleAnoAck", "")
        found = _LABEL.fullmatch(text)
        code, label = (int(found.group(1)), found.group(2)) if found else (None, text)
        self._element.errors.append(AckError(self._piece, self._line, anomaly, code, label))
        self._error.clear()

    def _close_element(self) -> None:
        self._count()
        if self._error:  # only version 1 leaves an anomaly directly under the element
            self._close_error()
        element = self._element.closed()
        self._elements.setdefault(_subject(element), []).append(element)

    def _count(self) -> None:
        self._entries += 1
        if self._entries > MAX_ENTRIES:
            raise TooManyObjects


def _subject(element: AckElement) -> AckElement:
    """What the element is about, without its verdict: one bordereau may come several times."""
    return AckElement(
        domain=element.domain,
        accepted=None,
        exercice=element.exercice,
        bordereau=element.bordereau,
        id_unique=element.id_unique,
        id_marche=element.id_marche,
    )


def _merged(same: list[AckElement]) -> AckElement:
    """One verdict per subject: refused as soon as one element refuses it."""
    verdicts = {element.accepted for element in same}
    accepted = False if False in verdicts else None if None in verdicts else True
    errors = tuple(error for element in same for error in element.errors)
    return replace(same[0], accepted=accepted, errors=errors)


def _state(elements: tuple[AckElement, ...]) -> AcquitState:
    verdicts = {element.accepted for element in elements}
    if not verdicts:
        return AcquitState.RECEIVED
    if None in verdicts:
        return AcquitState.UNREADABLE
    if verdicts == {True}:
        return AcquitState.ACCEPTED
    return AcquitState.REFUSED if verdicts == {False} else AcquitState.PARTIAL
