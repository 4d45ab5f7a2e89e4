"""Returns of the préfecture are mails: an HTML page for people, attachments for machines."""

from collections.abc import Mapping
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape

from socle.exercise.protocol.answers import OFFICE, OFFICE_EMAIL
from socle.exercise.protocol.outcome import MENTION


def build_mail(
    *,
    addresses: tuple[str, ...],
    title: str,
    lines: Mapping[str, str],
    attachments: Mapping[str, bytes],
    at: datetime,
    serial: int,
) -> bytes:
    """One multipart/mixed message: `lines` (label → value) as HTML, then the attachments.

    `addresses` go into the header as they are: the caller has checked them.
    """
    mail = EmailMessage(policy=SMTP)
    mail["From"] = f'"{OFFICE}" <{OFFICE_EMAIL}>'
    mail["To"] = ", ".join(addresses)
    mail["Subject"] = f"[{MENTION}] {title}"
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = f"<{serial}.{at:%Y%m%d%H%M%S}@exercice.test>"
    mail["X-Socle-Exercice"] = MENTION
    mail.set_content(_page(title, lines), subtype="html")
    for name, content in attachments.items():
        subtype = "pdf" if name.endswith(".pdf") else "xml"
        mail.add_attachment(content, maintype="application", subtype=subtype, filename=name)
    return bytes(mail)


def _page(title: str, lines: Mapping[str, str]) -> str:
    rows = "".join(
        f"<tr><th>{escape(label)}</th><td>{escape(value)}</td></tr>"
        for label, value in lines.items()
    )
    return (
        f"<html><body><h1>{MENTION} - sans valeur juridique</h1>"
        f"<p>{escape(title)}</p><table>{rows}</table></body></html>\n"
    )
