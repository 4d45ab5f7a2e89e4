"""`python -m tests.chaos.prepare PLACES`: communes ready to transmit, each with its software.

The accesses are written in the file PLACES, as JSON.
"""

import json
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Any

import django

COMMUNES = 4
LONG_AGO = date(2020, 1, 1)


def main(places: Path) -> None:
    """Build the world, open the communes, write the accesses down."""
    from django.utils import timezone
    from django_tenants.utils import tenant_context

    from socle.directory.models import Organisation
    from tenants.models import Tenant
    from tenants.provisioning import provision
    from tests import world

    at = timezone.now()
    world.build()
    communes = Organisation.objects.filter(kind="commune")
    ready = communes.exclude(tenant=None).count()
    for organisation in communes.filter(tenant=None).order_by("pk")[: COMMUNES - ready]:
        provision(organisation=organisation, by="chaos", at=at)
    accesses = []
    for tenant in Tenant.objects.select_related("organisation").order_by("pk"):
        if tenant.organisation and tenant.organisation.kind == "commune":
            with tenant_context(tenant):
                accesses.append(_open(tenant, at=at))
    places.write_text(json.dumps(accesses))


def _open(tenant: Any, *, at: datetime) -> dict[str, str]:
    """The rights, the classification, a secretary and the access of her software."""
    from socle.accounts.capabilities import Role
    from socle.actes.models import ClassificationVersion
    from socle.core.identifiers import siret_of
    from socle.directory.models import Grant, TransmissionRight
    from socle.documents import actions as documents
    from socle.exercise.protocol.classification import CURRENT, full_return
    from tenants.api.actions import open_access
    from tests.people import person

    organisation = tenant.organisation
    organisation.siret = siret_of(organisation.siren)
    organisation.save(update_fields=["siret"])
    for protocol, natures in (("actes", list("123456")), ("helios", [])):
        TransmissionRight.objects.create(
            organisation=organisation, protocol=protocol, operator="exercice", natures=natures,
            reference="Essai", starts_on=LONG_AGO,
        )  # fmt: skip
    stored = documents.store(content=full_return(CURRENT), name="c.xml", by="Essai", at=at)
    ClassificationVersion.objects.create(date=CURRENT.day, content=stored, received_at=at)
    who = person(Role.TRANSMITTER, at=organisation)
    Grant.objects.filter(person=who).update(starts_on=LONG_AGO)
    access, secret = open_access(organisation=organisation, software="Essai", by=who, at=at)
    return {
        "schema": tenant.schema_name,
        "host": tenant.get_primary_domain().domain,
        "siret": organisation.siret,
        "login": access.login,
        "secret": secret,
    }


if __name__ == "__main__":
    django.setup()
    main(Path(sys.argv[1]))
