from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("documents", "0001_initial")]
    operations = [
        migrations.AddField("storedfile", "origin", models.CharField(max_length=40, default="")),
    ]
