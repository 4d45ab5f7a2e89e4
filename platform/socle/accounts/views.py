"""Come in, walk from commune to commune, look after one's account, leave."""

import base64
from io import BytesIO
from typing import Any
from urllib.parse import quote, urlencode

import qrcode
import qrcode.image.svg
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login as django_login
from django.contrib.auth import logout as django_logout
from django.contrib.auth import update_session_auth_hash
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters
from django_otp import login as otp_login
from django_otp.oath import TOTP

from socle.accounts import actions, policies, queries
from socle.accounts.access import CapabilityView, note_refusal
from socle.accounts.addresses import client_address
from socle.accounts.capabilities import ROLE_LABELS, Access, Role
from socle.accounts.forms import CodeForm, LoginForm, PasswordForm
from socle.accounts.gateway import presented
from socle.accounts.middleware import LOGIN_KEY
from socle.accounts.models import Authenticator, Login, Person


class LogIn(CapabilityView):
    """First step: address and password."""

    capability = Access.ANYONE

    def get(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated and request.user.is_verified():
            return redirect(_next(request))
        return render(request, "accounts/login.html", {"form": LoginForm()})

    @method_decorator(sensitive_post_parameters())
    def post(self, request: HttpRequest) -> HttpResponse:
        form = LoginForm(request.POST)
        status = 200
        if form.is_valid():
            try:
                person = actions.check_password(
                    request=request,
                    address=client_address(request),
                    at=timezone.now(),
                    **form.cleaned_data,
                )
            except policies.TooManyAttempts as refusal:
                note_refusal(request, refusal, event="login")
                form.add_error(None, str(refusal))
                status = 429
            except policies.WrongCredentials as refusal:
                note_refusal(request, refusal, event="login")
                form.add_error(None, str(refusal))
            else:
                django_login(request, person)
                return redirect(_with_next(request, _second_step(person)))
        return render(request, "accounts/login.html", {"form": form}, status=status)


class SecondFactor(CapabilityView):
    """Second step: six digits from the phone, or a recovery code."""

    capability = Access.ANYONE

    def get(self, request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect("accounts:login")
        if not request.user.has_authenticator:
            return redirect(_with_next(request, "accounts:set_up"))
        return self.show(request, CodeForm())

    @method_decorator(sensitive_post_parameters())
    def post(self, request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect("accounts:login")
        form = CodeForm(request.POST)
        if form.is_valid():
            try:
                factor = actions.check_second_factor(
                    person=request.user, code=form.cleaned_data["code"], at=timezone.now()
                )
            except policies.WrongCode as refusal:
                note_refusal(request, refusal, event="second_factor")
                form.add_error("code", str(refusal))
            else:
                _come_in(
                    request,
                    actions.open_login(person=request.user, factor=factor, at=timezone.now()),
                )
                return redirect(_next(request))
        return self.show(request, form)

    def show(self, request: HttpRequest, form: CodeForm) -> HttpResponse:
        hint = demo_code(request.user) if settings.DEMO else ""
        context = {"form": form, "demo_code": hint, "mtls": bool(settings.PROXY_SECRET)}
        return render(request, "accounts/second_factor.html", context)


class WithCertificate(CapabilityView):
    """Second step, with the certificate the gateway checked instead of the code."""

    capability = Access.ANYONE
    http_method_names = ("get", "post")

    def get(self, request: HttpRequest) -> HttpResponse:
        """What a refused certificate is sent to by the gateway: say why."""
        shown = presented(request)
        if shown is not None and shown.problem:
            messages.error(request, str(policies.refused_by_gateway(shown.problem)))
        elif "refuse" in request.GET:  # a gateway that cannot say more
            messages.error(
                request,
                "Le certificat présenté est refusé : expiré, révoqué, ou d’une autorité qui n’est "
                "pas admise ici. Appelez votre syndicat, ou entrez avec votre code.",
            )
        return redirect("accounts:login")

    def post(self, request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect("accounts:login")
        if not request.user.has_authenticator:
            return redirect(_with_next(request, "accounts:set_up"))
        if not _proves_with_certificate(request):
            return redirect(_with_next(request, "accounts:second_factor"))
        now = timezone.now()
        _come_in(request, actions.open_login(person=request.user, factor="certificate", at=now))
        return redirect(_next(request))


class StepUp(CapabilityView):
    """Prove again that it is you, because something is about to leave in the body's name."""

    capability = Access.LOGGED_IN

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show(request, CodeForm())

    @method_decorator(sensitive_post_parameters())
    def post(self, request: HttpRequest) -> HttpResponse:
        now, form = timezone.now(), CodeForm(request.POST)
        if "certificat" in request.POST:
            if not _proves_with_certificate(request):
                return self.show(request, CodeForm())
            return self.confirmed(request, "certificate")
        if form.is_valid():
            try:
                factor = actions.check_second_factor(
                    person=request.user, code=form.cleaned_data["code"], at=now
                )
            except policies.WrongCode as refusal:
                note_refusal(request, refusal, event="step_up")
                form.add_error("code", str(refusal))
            else:
                return self.confirmed(request, factor)
        return self.show(request, form)

    def confirmed(self, request: HttpRequest, factor: str) -> HttpResponse:
        actions.confirm_login(login_id=request.session[LOGIN_KEY], factor=factor, at=timezone.now())
        messages.success(request, "C’est bien vous : vous pouvez transmettre.")
        return redirect(_next(request))

    def show(self, request: HttpRequest, form: CodeForm) -> HttpResponse:
        organisation = request.tenant.organisation
        rule = queries.step_up_rule(organisation.siren) if organisation else None
        context = {
            "form": form,
            "rule": rule,
            "certificate_only": rule is not None and rule.factor == rule.Factor.CERTIFICATE,
            "demo_code": demo_code(request.user) if settings.DEMO else "",
        }
        return render(request, "accounts/step_up.html", context)


def _proves_with_certificate(request: HttpRequest) -> bool:
    """Whether the browser presents the person's own certificate; otherwise she is told why not."""
    try:
        actions.check_certificate(person=request.user, shown=presented(request), at=timezone.now())
    except policies.CertificateRefused as refusal:
        note_refusal(request, refusal, event="certificate")
        messages.error(request, str(refusal))
        return False
    return True


class SetUp(CapabilityView):
    """Tie a phone to the account, at the first login."""

    capability = Access.ANYONE

    def get(self, request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated or request.user.has_authenticator:
            return redirect("accounts:second_factor")
        return self.show(request, CodeForm())

    @method_decorator(sensitive_post_parameters())
    def post(self, request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated or request.user.has_authenticator:
            return redirect("accounts:second_factor")
        form = CodeForm(request.POST)
        if form.is_valid():
            try:
                codes = actions.confirm_authenticator(
                    person=request.user, code=form.cleaned_data["code"]
                )
            except policies.WrongCode as refusal:
                form.add_error("code", str(refusal))
            else:
                login = actions.open_login(person=request.user, factor="totp", at=timezone.now())
                _come_in(request, login)
                return render(
                    request,
                    "accounts/recovery_codes.html",
                    {"codes": codes, "next": _next(request)},
                )
        return self.show(request, form)

    def show(self, request: HttpRequest, form: CodeForm) -> HttpResponse:
        person = request.user
        device = person.authenticators.filter(confirmed=False).last()
        device = device or Authenticator.prepare(person)
        secret = base64.b32encode(device.key).decode()
        context = {"form": form, "secret": secret, "qr": _qr(_otpauth(person, secret))}
        return render(request, "accounts/set_up.html", context)


class RecoveryCodes(CapabilityView):
    """Replace the recovery codes."""

    capability = Access.LOGGED_IN
    http_method_names = ("post",)

    def post(self, request: HttpRequest) -> HttpResponse:
        codes = actions.renew_recovery_codes(person=request.user)
        context = {"codes": codes, "next": reverse("accounts:account")}
        return render(request, "accounts/recovery_codes.html", context)


class LogOut(CapabilityView):
    """Leave every host at once."""

    capability = Access.ANYONE
    http_method_names = ("post",)

    def post(self, request: HttpRequest) -> HttpResponse:
        if login_id := request.session.get(LOGIN_KEY):
            actions.end_login(login_id=login_id, at=timezone.now())
        django_logout(request)
        messages.success(request, "Vous êtes déconnecté de toutes vos communes.")
        return redirect("accounts:login")


class Account(CapabilityView):
    """One's own account: places, certificate, password, second factor."""

    capability = Access.LOGGED_IN

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show(request, PasswordForm(person=request.user))

    @method_decorator(sensitive_post_parameters())
    def post(self, request: HttpRequest) -> HttpResponse:
        form = PasswordForm(request.POST, person=request.user)
        if not form.is_valid():
            return self.show(request, form)
        request.user.set_password(form.cleaned_data["new"])
        request.user.save(update_fields=["password"])
        update_session_auth_hash(request, request.user)
        messages.success(request, "Votre mot de passe est changé.")
        return redirect("accounts:account")

    def show(self, request: HttpRequest, form: PasswordForm) -> HttpResponse:
        person = request.user
        now = timezone.now()
        context: dict[str, Any] = {
            "form": form,
            "codes_left": person.recovery_codes.filter(used_at=None).count(),
            "roles": [ROLE_LABELS[Role(role)] for role in request.roles],
            "certificates": [
                {"certificate": found, "usable": found.is_usable(now)}
                for found in person.certificates.order_by("-not_after")[:10]
            ],
        }
        return render(request, "accounts/account.html", context)


class Switch(CapabilityView):
    """Leave for another organisation of one's own, with a ticket instead of a new login."""

    capability = Access.LOGGED_IN

    def get(self, request: HttpRequest, host: str) -> HttpResponse:
        place = next((place for place in request.places if place.host == host), None)
        login_id = request.session.get(LOGIN_KEY)
        if place is None or login_id is None:
            raise Http404
        secret = actions.issue_ticket(login_id=login_id, host=host, at=timezone.now())
        return redirect(f"{place.origin}{reverse('accounts:enter')}?{urlencode({'passe': secret})}")


class Enter(CapabilityView):
    """Arrive from another host with a ticket."""

    capability = Access.ANYONE

    def get(self, request: HttpRequest) -> HttpResponse:
        try:
            login = actions.use_ticket(
                secret=request.GET.get("passe", ""),
                host=request.get_host().split(":")[0],
                at=timezone.now(),
            )
        except policies.TicketRefused as refusal:
            note_refusal(request, refusal, event="enter")
            messages.error(request, str(refusal))
            return redirect("accounts:login")
        django_login(request, login.person)
        _come_in(request, login)
        return redirect("home")


def demo_code(person: Person) -> str:
    """The code the person's phone shows now. Only the demonstration calls this."""
    device = person.authenticators.get(confirmed=True)
    totp = TOTP(device.key)
    totp.time = timezone.now().timestamp()
    if totp.t() <= device.last_step:  # this step was used: the next one is accepted already
        totp.drift = 1
    return f"{totp.token():06d}"


def _come_in(request: HttpRequest, login: Login) -> None:
    otp_login(request, login.person.authenticators.get(confirmed=True))
    request.session[LOGIN_KEY] = str(login.pk)


def _second_step(person: Person) -> str:
    return "accounts:second_factor" if person.has_authenticator else "accounts:set_up"


def _next(request: HttpRequest) -> str:
    wanted = request.POST.get("suite") or request.GET.get("suite") or "/"
    safe = url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()})
    return wanted if safe else "/"


def _with_next(request: HttpRequest, url_name: str) -> str:
    return f"{reverse(url_name)}?{urlencode({'suite': _next(request)})}"


def _otpauth(person: Person, secret: str) -> str:
    issuer = settings.OTP_TOTP_ISSUER
    return f"otpauth://totp/{quote(f'{issuer}:{person.email}')}?secret={secret}&issuer={issuer}"


def _qr(text: str) -> str:
    buffer = BytesIO()
    qrcode.make(text, image_factory=qrcode.image.svg.SvgPathImage, border=2).save(buffer)
    return "data:image/svg+xml;base64," + base64.b64encode(buffer.getvalue()).decode()
