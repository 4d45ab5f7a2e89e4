"""How many tables a commune has: each exists a thousand times (docs/decisions/0008)."""

from django.apps import apps

from tenants.history import tenant_labels

LIMIT = 30


def test_a_commune_has_few_tables() -> None:
    models = apps.get_models(include_auto_created=True)
    mine = [model for model in models if model._meta.app_label in tenant_labels()]
    with_migrations = len(mine) + 1
    assert with_migrations <= LIMIT, "docs/decisions/0008-tables-per-commune.md is to change first"
