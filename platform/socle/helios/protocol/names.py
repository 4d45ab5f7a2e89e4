"""The names a file takes on its way to the DGFiP."""

import re
from datetime import date
from typing import Final

from socle.helios.protocol.header import Header

OWN_PREFIX: Final = "PESALR2_"
MAX_FILE_NAME: Final = 100
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._ ]")
_SIREN: Final = re.compile(r"\d{9}", re.ASCII)


def transmitted_name(*, siren: str, sent_on: date, sequence: int) -> str:
    """The name on the gateway: `PESALR2_{SIREN}_{yymmdd}_{NNN}.xml` (S²LOW naming).

    `sequence` starts at 1 each day, `sent_on` in Paris, for each SIREN, so that no two names of
    the shared mailbox are alike; it widens past 999. Raises ValueError on a SIREN or sequence that
    cannot be.
    """
    if not _SIREN.fullmatch(siren) or sequence < 1:
        raise ValueError(f"no gateway name for SIREN {siren!r}, sequence {sequence}")
    return f"{OWN_PREFIX}{siren}_{sent_on:%y%m%d}_{sequence:03}.xml"


def is_own_name(name: str) -> bool:
    """True for a file we sent ourselves: the shared mailbox lists those too."""
    return name.startswith(OWN_PREFIX)


def gateway_message(header: Header, *, prefix: str = "PES") -> str:
    """The P_MSG parameter of the gateway: `PES#CodCol#IdPost#CodBud`."""
    return f"{prefix}#{header.cod_col}#{header.id_post}#{header.cod_bud}"


def safe_file_name(name: str) -> str:
    """The user's file name as we may hand it to an operator: every unusual character becomes `_`.

    Directories are dropped, and the name is cut to 100 characters, its end being kept.
    """
    base = name.replace("\\", "/").rpartition("/")[2]
    return _UNSAFE.sub("_", base).lstrip(". ")[-MAX_FILE_NAME:] or "flux.xml"


def has_xml_extension(name: str) -> bool:
    """False calls for a warning only: the content decides."""
    return name.lower().endswith(".xml")
