"""People for tests, and a browser without a window that keeps them in their commune."""

from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import connection
from django.test import Client
from django.utils import timezone

from socle.accounts import actions
from socle.accounts.capabilities import Role
from socle.accounts.middleware import LOGIN_KEY
from socle.accounts.models import Authenticator, Person
from socle.core.clock import legal_date
from socle.directory.models import Grant, Organisation

PASSWORD = "un mot de passe assez long"
_HASHED = make_password(PASSWORD)
_made = iter(range(1, 10**9))


def person(*roles: Role, at: Organisation | None = None, **fields: Any) -> Person:
    """A person with a confirmed phone and these roles in the organisation `at`."""
    number = next(_made)
    given = {"first_name": "Camille", "last_name": f"Testard{number}", **fields}
    given.setdefault("email", f"personne{number}@exemple.fr")
    made = Person.objects.create(password=_HASHED, **given)
    device = Authenticator.prepare(made, key=b"12345678901234567890")
    Authenticator.objects.filter(pk=device.pk).update(confirmed=True)
    if at is not None:
        Grant.objects.create(
            person=made,
            organisation=at,
            roles=list(roles),
            starts_on=legal_date(timezone.now()),
        )
    return made


class Browser(Client):
    """Django's client on one host, logged in; a request leaves the schema as it found it."""

    def __init__(self, host: str, who: Person | None = None) -> None:
        super().__init__(HTTP_HOST=host)
        if who is not None:
            self.come_in(who)

    def come_in(self, who: Person) -> None:
        """Open a session with both factors."""
        tenant = connection.tenant
        connection.set_schema_to_public()
        self.force_login(who)
        device = who.authenticators.get(confirmed=True)
        login = actions.open_login(person=who, factor="totp", at=timezone.now())
        session = self.session
        session["otp_device_id"] = device.persistent_id
        session[LOGIN_KEY] = str(login.pk)
        session.save()
        connection.set_tenant(tenant)

    def request(self, **request: Any) -> Any:
        """Make one request and come back to the schema the test is in."""
        tenant = connection.tenant
        try:
            return super().request(**request)
        finally:
            connection.set_tenant(tenant)


def on_portal(who: Person | None = None) -> Browser:
    """A browser on the syndicat's portal."""
    return Browser(settings.BASE_HOST, who)


def in_town(tenant: Any, who: Person | None = None) -> Browser:
    """A browser in the space of a commune."""
    return Browser(tenant.get_primary_domain().domain, who)
