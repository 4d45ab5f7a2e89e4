"""People and the traces of their logins. Everything here lives in the public schema."""

import uuid
from binascii import unhexlify
from time import time
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django_otp.models import Device, ThrottlingMixin
from django_otp.oath import TOTP
from django_otp.util import random_hex

from socle.core import crypto

TOTP_PURPOSE = "accounts.totp"


class People(BaseUserManager["Person"]):
    """Find and create people by their e-mail address, whatever its case."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "Person":
        """Create a person; without `password` she cannot log in before choosing one."""
        person = self.model(email=self.normalize_email(email).lower(), **fields)
        person.set_password(password)
        person.save(using=self._db)
        return person

    def get_by_natural_key(self, username: str | None) -> "Person":
        """The person whose address is `username`; raises Person.DoesNotExist."""
        return self.get(email__iexact=username)


class Person(AbstractBaseUser):
    """One human being with one account, however many organisations she works for."""

    email = models.EmailField("adresse électronique", unique=True)
    first_name = models.CharField("prénom", max_length=80)
    last_name = models.CharField("nom", max_length=80)
    function = models.CharField("fonction", max_length=120, blank=True)
    phone = models.CharField("téléphone", max_length=20, blank=True)
    is_active = models.BooleanField("compte actif", default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[People] = People()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ("first_name", "last_name")

    login_in_hand: "Login | None" = None
    """The login of the request under way, when this is the person who makes it; never stored."""

    class Meta:
        constraints = (models.UniqueConstraint(Lower("email"), name="accounts_person_one_email"),)
        ordering = ("last_name", "first_name", "pk")

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}"

    @property
    def has_authenticator(self) -> bool:
        """Whether a second factor was set up and confirmed."""
        return self.authenticators.filter(confirmed=True).exists()


class Authenticator(ThrottlingMixin, Device):
    """The application on a person's phone that shows six digits (TOTP, RFC 6238).

    django-otp's own device keeps its secret in clear; this one seals it with the master key.
    """

    user = models.ForeignKey(
        "accounts.Person", on_delete=models.CASCADE, related_name="authenticators"
    )
    sealed_key = models.BinaryField()
    last_step = models.BigIntegerField(default=-1)
    """The last accepted time step: a code read over a shoulder works only once."""

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("user",), condition=Q(confirmed=True), name="accounts_one_authenticator"
            ),
        )

    @classmethod
    def prepare(cls, person: Person, *, key: bytes | None = None) -> "Authenticator":
        """A new unconfirmed authenticator for `person`, saved; `key` is 20 bytes."""
        secret = key or unhexlify(random_hex(20))
        return cls.objects.create(
            user=person,
            name="Application d’authentification",
            confirmed=False,
            sealed_key=crypto.seal(secret, purpose=TOTP_PURPOSE),
        )

    @property
    def key(self) -> bytes:
        """The shared secret, 20 bytes."""
        return crypto.unseal(bytes(self.sealed_key), purpose=TOTP_PURPOSE)

    def verify_token(self, token: str) -> bool:
        """Accept a six-digit code once, one step of clock drift allowed; throttled after errors."""
        allowed, _ = self.verify_is_allowed()
        if not (allowed and token.isascii() and token.isdigit()):
            return False
        totp = TOTP(self.key)
        totp.time = time()
        if not totp.verify(int(token), tolerance=1, min_t=self.last_step + 1):
            self.throttle_increment()
            return False
        self.last_step = totp.t()
        self.throttle_reset(commit=False)
        self.save()
        return True

    def get_throttle_factor(self) -> int:
        """Seconds to wait after the first wrong code; doubles with each further one."""
        return 1


class RecoveryCode(models.Model):
    """One of ten codes on paper that replace the phone once."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("person", "digest"), name="accounts_code_unique"),
        )


class LoginAttempt(models.Model):
    """One wrong password, kept to slow the next ones down."""

    email_digest = models.CharField(max_length=64)
    address = models.GenericIPAddressField()
    at = models.DateTimeField()

    class Meta:
        indexes = (
            models.Index(fields=("email_digest", "at"), name="accounts_attempt_email"),
            models.Index(fields=("address", "at"), name="accounts_attempt_address"),
        )


class Login(models.Model):
    """One opening of the house by one person, on however many hosts she then walks through.

    Every host's session points here, so leaving one leaves all.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="logins")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    factor = models.CharField(max_length=12)
    """"totp", "recovery" or "certificate"."""
    confirmed_at = models.DateTimeField(null=True)
    """When the person last proved again that it is she, before transmitting."""
    confirmed_factor = models.CharField(max_length=12, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=models.F("started_at")),
                name="accounts_login_ends_after_it_starts",
            ),
        )


class Ticket(models.Model):
    """A single-use pass from one host to another, good for thirty seconds."""

    digest = models.CharField(max_length=64, unique=True)
    login = models.ForeignKey(Login, on_delete=models.CASCADE, related_name="+")
    host = models.CharField(max_length=253)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class CertificateLevel(models.TextChoices):
    RGS2 = "rgs2", "RGS **"
    TRAINING = "training", "EXERCICE"


class LoginCertificate(models.Model):
    """A certificate handed over to a person, as the platform recognises it.

    Matched by issuer and serial *and* by holder: a renewal is a hand-over, not an outage. Written
    by the registration authority when the receipt is signed, withdrawn by it at revocation.
    """

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="certificates")
    siren = models.CharField(max_length=9)
    issuer = models.CharField(max_length=500)
    serial = models.CharField(max_length=64)
    fingerprint = models.CharField(max_length=64, unique=True)
    level = models.CharField(max_length=12, choices=CertificateLevel)
    not_before = models.DateTimeField()
    not_after = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("issuer", "serial"), name="accounts_one_certificate"),
            models.CheckConstraint(
                condition=Q(not_before__lt=models.F("not_after")),
                name="accounts_certificate_validity_is_ordered",
            ),
        )

    def is_usable(self, at: Any) -> bool:
        """Whether the certificate may be used at `at`: in its validity and not withdrawn."""
        return self.withdrawn_at is None and self.not_before <= at <= self.not_after

    def serves(self, siren: str) -> bool:
        """Whether it may be used for a body: its own, or one that agreed to it."""
        return self.siren == siren or self.bodies.filter(siren=siren).exists()


class CertificateBody(models.Model):
    """Another body for which a certificate may be used: they agreed that one person serves both."""

    certificate = models.ForeignKey(
        LoginCertificate, on_delete=models.CASCADE, related_name="bodies"
    )
    siren = models.CharField(max_length=9)
    agreed_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("certificate", "siren"), name="accounts_certificate_body_once"
            ),
        )


class StepUpRule(models.Model):
    """What a body asks before anything leaves in its name: a proof that is not too old."""

    class Factor(models.TextChoices):
        ANY = "any", "Le code du téléphone ou le certificat"
        CERTIFICATE = "certificate", "Le certificat seulement"

    siren = models.CharField(max_length=9, unique=True)
    minutes = models.PositiveSmallIntegerField("au bout de combien de minutes")
    factor = models.CharField("avec quoi", max_length=11, choices=Factor, default=Factor.ANY)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(minutes__gt=0), name="accounts_step_up_leaves_a_minute"
            ),
        )
