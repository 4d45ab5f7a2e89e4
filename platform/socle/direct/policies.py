"""What a connection to the ministry must be, and when an archive may go again. No query."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from socle.core.refusals import Refusal
from socle.direct import origin

DOUBT: Final = timedelta(hours=2)
"""How long an attempt without answer waits for the answer of the préfecture.

The ministry gives no number and cannot be asked; what it does with an archive received twice is
not known. An AR comes within minutes and settles it; after this the same archive goes again.
"""
LONGEST_MAIL: Final = 200_000_000
"""Octets: an archive of 150 MiB, coded in base 64, weighs less."""
_PIN: Final = re.compile(r"[0-9a-f]{64}")
_HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")


class UnusableLink(Refusal):
    """What was said of the connection cannot be."""

    code = "direct.unusable_link"


def check_url(url: str, *, field: str) -> str:
    """The address archives are posted to. Raises UnusableLink."""
    parts = urlsplit(url.strip())
    if parts.scheme != "https" or not parts.hostname or parts.username or parts.fragment:
        raise UnusableLink(
            "L’adresse d’envoi commence par « https:// » : recopiez celle que le ministère a "
            "donnée à l’homologation.",
            field=field,
        )
    return url.strip()


def check_pins(text: str) -> list[str]:
    """The fingerprints in `text`, one a line, in lower hexadecimal. Raises UnusableLink.

    They may be written with colons, as tools show them.
    """
    found = [re.sub(r"[\s:]", "", line).lower() for line in text.splitlines() if line.strip()]
    if not found or not all(map(_PIN.fullmatch, found)):
        raise UnusableLink(
            "Donnez l’empreinte SHA-256 du certificat du ministère, ou de sa clé publique : 64 "
            "chiffres hexadécimaux, une empreinte par ligne.",
            field="pins",
        )
    return list(dict.fromkeys(found))


def check_mail_host(host: str, *, field: str = "imap_host") -> str:
    """The name of the mail server. Raises UnusableLink."""
    if not _HOST.fullmatch(host.strip()):
        raise UnusableLink(
            "Donnez le nom du serveur de courriel, par exemple imap.exemple.fr.", field=field
        )
    return host.strip()


def check_senders(text: str) -> list[str]:
    """The senders in `text`, one a line, in small letters. Raises UnusableLink."""
    found = text.lower().split()
    if not all(map(origin.is_sender, found)):
        raise UnusableLink(
            "Donnez une adresse, ou un domaine comme « @exemple.fr », par ligne.", field="senders"
        )
    return list(dict.fromkeys(found))


def check_mailbox(name: str) -> str:
    """The folder answers arrive in. Raises UnusableLink."""
    if not name.isascii() or not name.isprintable() or not name.strip():
        raise UnusableLink(
            "Le nom du dossier s’écrit sans accent, le plus souvent « INBOX ».", field="mailbox"
        )
    return name.strip()


def is_in_doubt(*, started_at: datetime, at: datetime) -> bool:
    """Whether the answer to an attempt without outcome is still waited for."""
    return at - started_at < DOUBT


def is_pinned(pins: Iterable[str], shown: Iterable[str]) -> bool:
    """Whether one of the fingerprints `shown` by a server is one of ours."""
    return not set(pins).isdisjoint(shown)
