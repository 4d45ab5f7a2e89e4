"""What a task is told before it enters a space."""

from django.db import connection
from django_tenants.utils import get_public_schema_name, schema_context

from socle.core.queue import SpaceGone
from tenants.models import Tenant


def is_open(schema: str) -> bool:
    """Whether tasks may work in `schema`; a suspended space is left alone.

    Raises SpaceGone when no space has this schema any more.
    """
    if schema == get_public_schema_name() or connection.needs_rollback:
        return True
    with schema_context(get_public_schema_name()):
        found = Tenant.objects.filter(schema_name=schema).values_list("organisation__space_stop")
        row = found.first()
    if row is None:
        raise SpaceGone(
            f"L’espace « {schema} » n’existe plus : il a été détruit, la tâche n’a plus d’objet."
        )
    return row[0] is None
