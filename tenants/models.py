"""The tenant of an organisation and the hosts that lead to it."""

from typing import Any, Never

from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone
from django_tenants.models import DomainMixin, TenantMixin

from socle.directory.models import Organisation

SCHEMA_PATTERN = r"^[a-z][a-z0-9_]{0,47}$"


class Tenant(TenantMixin):
    """One schema, for one organisation; the public one stands for the portal and has none."""

    schema_name = models.CharField(
        max_length=48, unique=True, validators=[RegexValidator(SCHEMA_PATTERN)]
    )
    organisation = models.OneToOneField(
        Organisation, on_delete=models.PROTECT, null=True, related_name="tenant"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    blueprint = models.CharField(max_length=64, blank=True)
    """Fingerprint of the migrations the schema stands at (see `blueprints`)."""

    auto_create_schema = False  # schemas come from `provisioning`, replayed, never migrated
    auto_drop_schema = False

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(schema_name__regex=SCHEMA_PATTERN),
                name="tenants_schema_name_is_plain",
            ),
            models.CheckConstraint(
                condition=models.Q(schema_name="public", organisation=None)
                | (~models.Q(schema_name="public") & models.Q(organisation__isnull=False)),
                name="tenants_only_public_has_no_organisation",
            ),
        )

    def __str__(self) -> str:
        return str(self.organisation or "Portail du syndicat")

    def __enter__(self) -> Never:
        """Refused: django-tenants keeps these in a list shared by all threads.

        600 exits in three threads left the wrong schema 575 times; use `tenant_context(tenant)`.
        """
        raise RuntimeError("Use `with tenant_context(tenant):`, never `with tenant:`.")

    def __exit__(self, *exception: Any) -> None:
        """Never reached: entering is refused."""


class Domain(DomainMixin):
    """A host name that leads to a tenant."""

    def __str__(self) -> str:
        return str(self.domain)


class Blueprint(models.Model):
    """The recorded DDL of a commune's schema at one set of migrations."""

    fingerprint = models.CharField(max_length=64, primary_key=True)
    ddl = models.TextField()
    migrations = models.JSONField()
    """[[app, name], …] in the order they were applied."""
    recorded_at = models.DateTimeField(default=timezone.now)
