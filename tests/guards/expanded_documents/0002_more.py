from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("documents", "0001_initial")]
    operations = [
        migrations.AddField(
            "storedfile", "origin", models.CharField(max_length=40, db_default="inconnue")
        ),
        migrations.AddField("storedfile", "rank", models.IntegerField(null=True)),
        migrations.CreateModel(
            "Label",
            fields=[
                ("id", models.BigAutoField(primary_key=True)),
                ("stored", models.ForeignKey("documents.StoredFile", models.CASCADE)),
            ],
        ),
    ]
