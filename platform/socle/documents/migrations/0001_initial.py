"""The table of kept files, and what keeps their content from ever changing.

The function lives in the schema that is migrated and names no schema, so that a copy of the schema,
or the same DDL replayed elsewhere, is protected by a function of its own.
"""

import uuid
from django.db import migrations, models


REFUSE_CHANGE = """
CREATE FUNCTION documents_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    RAISE EXCEPTION 'the content of kept file % never changes', OLD.id
        USING ERRCODE = 'restrict_violation';
END
$body$
"""

PROTECT = """
CREATE TRIGGER documents_storedfile_immutable BEFORE UPDATE ON documents_storedfile
    FOR EACH ROW
    WHEN ((OLD.id, OLD.sha256, OLD.size, OLD.storage_key, OLD.created_at, OLD.created_by_label)
        IS DISTINCT FROM
        (NEW.id, NEW.sha256, NEW.size, NEW.storage_key, NEW.created_at, NEW.created_by_label))
    EXECUTE FUNCTION documents_refuse_change()
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='StoredFile',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=255, verbose_name='nom d’origine')),
                ('media_type', models.CharField(max_length=127, verbose_name='type')),
                ('size', models.BigIntegerField(verbose_name='taille en octets')),
                ('sha256', models.CharField(db_index=True, max_length=64, verbose_name='empreinte SHA-256 du contenu')),
                ('storage_key', models.CharField(editable=False, max_length=200)),
                ('created_at', models.DateTimeField(verbose_name='déposé le')),
                ('created_by_label', models.CharField(max_length=200, verbose_name='déposé par')),
            ],
            options={
                'verbose_name': 'fichier conservé',
                'verbose_name_plural': 'fichiers conservés',
                'default_permissions': (),
                'constraints': [models.CheckConstraint(condition=models.Q(('sha256__regex', '^[0-9a-f]{64}$')), name='documents_storedfile_sha256_is_hex'), models.CheckConstraint(condition=models.Q(('size__gte', 0)), name='documents_storedfile_size_counts'), models.CheckConstraint(condition=models.Q(('storage_key__endswith', models.F('sha256'))), name='documents_storedfile_key_is_digest')],
            },
        ),
        migrations.RunSQL(REFUSE_CHANGE, "DROP FUNCTION documents_refuse_change()"),
        migrations.RunSQL(
            PROTECT, "DROP TRIGGER documents_storedfile_immutable ON documents_storedfile"
        ),
    ]
