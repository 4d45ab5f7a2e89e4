"""Whence a request comes, seen through the proxies in front of Socle."""

from ipaddress import IPv6Address, ip_address

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The address of the browser, for counting attempts; IPv4 or IPv6, as text.

    Each of the `PROXIES` trusted proxies adds one address at the right of X-Forwarded-For, so the
    browser's is the `PROXIES`-th from the right; what stands further left was written by whoever
    sent the request. A header that is too short or malformed gives the address of the connection.
    """
    peer = str(request.META["REMOTE_ADDR"])
    passed = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    if not 0 < settings.PROXIES <= len(passed):
        return peer
    return _plain(passed[-settings.PROXIES].strip()) or peer


def _plain(text: str) -> str:
    """The address as the database takes it, or nothing when it is none."""
    try:
        address = ip_address(text)
    except ValueError:
        return ""
    if isinstance(address, IPv6Address):
        if address.scope_id:
            return ""
        address = address.ipv4_mapped or address
    return str(address)
