from django.db import migrations


def write(apps, schema_editor):
    for stored in apps.get_model("documents", "StoredFile").objects.filter(note="repris"):
        stored.note = f"{stored.name} par Python"
        stored.save(update_fields=["note"])


class Migration(migrations.Migration):
    dependencies = [("documents", "0002_note")]
    operations = [migrations.RunPython(write)]
