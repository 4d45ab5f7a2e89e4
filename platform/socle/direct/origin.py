"""Who wrote a mail, as the mail server that received it found (RFC 8601). Pure.

Anybody may write any header: the server puts its own above all others, and only the topmost
`Authentication-Results` is read, if it bears the server's name. Any below came with the mail.
"""

import re
from collections.abc import Iterable, Iterator
from email.message import Message
from email.parser import BytesHeaderParser
from email.utils import getaddresses
from typing import Final

_LONGEST: Final = 400
HEAD_LIMIT: Final = 256 * 1024
_RESULT: Final = re.compile(r"\s*(dkim|spf|dmarc)\s*(?:/\s*1)?\s*=\s*([a-z]+)\b", re.ASCII)
_DOMAINS: Final = {
    "dkim": re.compile(r"\bheader\.d\s*=\s*@?([a-z0-9.-]+)(?=\s|$)", re.ASCII),
    "spf": re.compile(r"\bsmtp\.mailfrom\s*=\s*(?:[^\s@]*@)?([a-z0-9.-]+)(?=\s|$)", re.ASCII),
}
_ADDRESS: Final = re.compile(r"[^\s@<>,;\"()]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+", re.ASCII)


def doubt(raw: bytes, *, senders: Iterable[str], server: str) -> str:
    """Why this mail may be somebody else's, in one French sentence; "" when it is proved.

    `senders` are addresses, or domains as « @exemple.fr »; `server` the name the mail server signs
    its results with.
    """
    allowed = [one.lower() for one in senders]
    if not allowed or not server:
        return (
            "Le raccordement ne dit pas encore qui écrit au nom de la préfecture, ou quel serveur "
            "de courriel le vérifie : complétez-le."
        )
    head = BytesHeaderParser().parsebytes(raw[:HEAD_LIMIT])
    sender = _sender(head)
    if not _is_allowed(sender, allowed):
        return f"L’expéditeur « {sender or 'illisible'} » n’est pas de ceux du raccordement."
    return _unproved(head, sender, server.lower())


def sender_of(raw: bytes) -> str:
    """The one address a mail says it is from; "" when there is none, or several."""
    return _sender(BytesHeaderParser().parsebytes(raw[:HEAD_LIMIT]))


def is_sender(text: str) -> bool:
    """Whether `text` is an address, or a domain as « @exemple.fr »."""
    return _ADDRESS.fullmatch(f"x{text}" if text.startswith("@") else text) is not None


def _unproved(head: Message, sender: str, server: str) -> str:
    written = head.get_all("Authentication-Results") or [""]
    parts = [part.lower() for part in _split(str(written[0]))]
    if (parts[0].split() or [""])[0] != server:
        return (
            f"Le serveur de courriel « {server} » n’a rien écrit sur l’origine de ce message de "
            f"« {sender} »."
        )
    domain = sender.rpartition("@")[2]
    found = [(match[1], match[2], part) for part in parts[1:] if (match := _RESULT.match(part))]
    if any(method == "dmarc" and result == "fail" for method, result, _ in found):
        return f"Le serveur de courriel tient ce message de « {sender} » pour un faux (DMARC)."
    if not any(
        result == "pass" and method in _DOMAINS and _is_of(domain, _DOMAINS[method].search(part))
        for method, result, part in found
    ):
        return (
            f"Ni DKIM ni SPF ne prouvent que ce message vient de « {sender} », dit le serveur de "
            "courriel."
        )
    return ""


def _is_of(domain: str, signed: re.Match[str] | None) -> bool:
    """Whether what was checked is the domain of the sender, or one above it."""
    above = signed[1].rstrip(".") if signed else ""
    return domain == above or ("." in above and domain.endswith(f".{above}"))


def _is_allowed(sender: str, allowed: Iterable[str]) -> bool:
    return bool(sender) and any(
        sender.endswith(one) if one.startswith("@") else sender == one for one in allowed
    )


def _sender(head: Message) -> str:
    written = [str(one) for one in head.get_all("From") or []]
    if sum(map(len, written)) > _LONGEST:  # comments within comments would exhaust the stack
        return ""
    found = [address.lower() for _, address in getaddresses(written)]
    alone = len(written) == 1 and len(found) == 1 and _ADDRESS.fullmatch(found[0])
    return found[0] if alone else ""


def _split(header: str) -> list[str]:
    """The parts between semicolons, without comments and quoted strings: others write in those."""
    return "".join(_bare(header)).split(";")


def _bare(header: str) -> Iterator[str]:
    depth, quoted, escaped = 0, False, False
    for one in header:
        if escaped:
            escaped = False
        elif one == "\\" and (quoted or depth):
            escaped = True
        elif one == '"' and not depth:
            quoted = not quoted
            yield "_"
        elif quoted:
            continue
        elif one == "(":
            depth += 1
        elif one == ")" and depth:
            depth -= 1
        elif not depth:
            yield one
