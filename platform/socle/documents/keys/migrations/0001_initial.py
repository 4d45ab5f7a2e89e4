import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='DataKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('scope', models.CharField(max_length=63, unique=True, verbose_name='schéma')),
                ('key_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('wrapped', models.BinaryField()),
                ('master_id', models.CharField(max_length=16)),
            ],
            options={
                'verbose_name': 'clé de données',
                'verbose_name_plural': 'clés de données',
                'default_permissions': (),
            },
        ),
    ]
