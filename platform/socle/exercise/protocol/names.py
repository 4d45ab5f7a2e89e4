"""File names of the ACTES norm, in both directions."""

import re
from dataclasses import dataclass
from typing import Final, Self

DEPARTMENT: Final = r"[09][0-9][AB0-9]"
ENVELOPE: Final = re.compile(r"[ET]ACT--(?P<siren>\d{9})--(?P<day>\d{8})-\d+\.xml")
ARCHIVE: Final = re.compile(
    r"(?P<operator>[A-Za-z]{3})-(?P<stem>[ET]ACT--\d{9}--\d{8}-\d+)\.tar\.gz"
)
_MESSAGE: Final = re.compile(
    rf"(?P<department>{DEPARTMENT})-(?P<siren>\d{{9}})-(?P<day>(?:\d{{8}})?)"
    r"-(?P<number>(?:[A-Za-z0-9_]{1,15})?)-(?P<nature>(?:[A-Z]{2})?)-(?P<code>\d-\d)_\d+\.xml"
)
_DOCUMENT: Final = re.compile(r"(?P<type>[A-Z0-9_]{5})-(?P<stem>.+)_\d+\.(?P<extension>[a-z]{2,4})")


@dataclass(frozen=True, slots=True)
class MessageName:
    """`<ddd>-<SIREN>-<AAAAMMJJ>-<number>-<NAT>-<T>-<F>_<n>.xml`, the middle three maybe empty."""

    department: str
    siren: str
    day: str
    number: str
    nature: str
    code: str

    @classmethod
    def read(cls, name: str) -> Self | None:
        """The parts of a message name, or None when it is not one."""
        found = _MESSAGE.fullmatch(name)
        return cls(**found.groupdict()) if found else None

    @property
    def act_id(self) -> str:
        """The `IDActe` these parts make."""
        return "-".join((self.department, self.siren, self.day, self.number, self.nature))

    def stem(self, code: str | None = None) -> str:
        """The name without serial nor extension, for this message or for another code (`1-2`…)."""
        return f"{self.act_id}-{code or self.code}"


@dataclass(frozen=True, slots=True)
class DocumentName:
    """`<type of piece>-<stem of the message>_<n>.<extension>`."""

    type: str
    stem: str
    extension: str

    @classmethod
    def read(cls, name: str) -> Self | None:
        """The parts of a document name, or None when it is not one."""
        found = _DOCUMENT.fullmatch(name)
        return cls(**found.groupdict()) if found else None


def return_envelope(*, department: str, district: str, siren: str, day: str, serial: int) -> str:
    """Name of the envelope of a sous-préfecture towards a collectivité (`day` as AAAAMMJJ)."""
    return f"EACT--SPREF{department}{district}-{siren}-{day}-{serial}.xml"


def envelope_anomaly(archive_name: str) -> str:
    """Name of the anomaly on a whole envelope: ours with `ANO_` in front."""
    found = ARCHIVE.fullmatch(archive_name)
    stem = found["stem"] if found else archive_name.removesuffix(".tar.gz")
    return f"ANO_{stem}.xml"
