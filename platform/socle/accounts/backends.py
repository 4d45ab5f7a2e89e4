"""Password check by e-mail address. Capabilities are not Django permissions: see `capabilities`."""

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest

from socle.accounts.models import Person


class ByEmail(BaseBackend):
    """Authenticate an active person; an unknown address costs as much time as a wrong password."""

    def authenticate(
        self,
        request: HttpRequest | None,
        email: str = "",
        password: str = "",
        **credentials: Any,
    ) -> Person | None:
        """The person, or None."""
        person = Person.objects.filter(email__iexact=email.strip()).first()
        if person is None:
            Person().set_password(password)
            return None
        return person if person.is_active and person.check_password(password) else None

    def get_user(self, user_id: int) -> Person | None:
        """The active person with this key, or None."""
        return Person.objects.filter(pk=user_id, is_active=True).first()
