"""Sessions live only as long as the login they came from."""

from collections.abc import Callable

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse

from socle.accounts.models import Login

LOGIN_KEY = "login_id"


class OpenLogins:
    """Close the session of a host when its login was ended on another one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        login_id = request.session.get(LOGIN_KEY)
        login = login_id and Login.objects.filter(pk=login_id, ended_at=None).first()
        if login_id and not login:
            logout(request)
        request.login = login or None  # type: ignore[attr-defined]
        return self.get_response(request)
