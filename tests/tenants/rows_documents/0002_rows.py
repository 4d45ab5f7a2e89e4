from django.db import migrations
from django.utils import timezone


def write(apps, schema_editor):
    apps.get_model("documents", "StoredFile").objects.create(
        name="modèle.pdf",
        media_type="application/pdf",
        size=1,
        sha256="a" * 64,
        storage_key="a" * 64,
        created_at=timezone.now(),
        created_by_label="tests",
    )


class Migration(migrations.Migration):
    dependencies = [("documents", "0001_initial")]
    operations = [migrations.RunPython(write)]
