from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("documents", "0003_python")]
    operations = [
        migrations.CreateModel(
            "Label",
            fields=[
                ("id", models.BigAutoField(primary_key=True)),
                ("word", models.CharField(max_length=40, unique=True)),
            ],
        ),
    ]
