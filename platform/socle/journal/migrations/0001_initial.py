"""The two tables, and what keeps them append-only and without gap.

The functions live in the schema that is migrated and name no schema, so that a clone of it, or the
same DDL replayed elsewhere, is protected by functions of its own.
"""

import django.db.models.functions.text
import django.db.models.lookups
from django.db import migrations, models

REFUSE_CHANGE = """
CREATE FUNCTION journal_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    RAISE EXCEPTION '% on %.%: the journal is append-only', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$body$
"""

CHECK_NEXT = """
CREATE FUNCTION journal_check_next() RETURNS trigger LANGUAGE plpgsql AS $body$
DECLARE
    follows boolean;
BEGIN
    EXECUTE format(
        'SELECT ($1).%1$I = coalesce(max(%1$I), 0) + 1 FROM %2$I.%3$I',
        TG_ARGV[0], TG_TABLE_SCHEMA, TG_TABLE_NAME
    ) INTO follows USING NEW;
    IF follows IS NOT TRUE THEN
        RAISE EXCEPTION '%.%: % would leave a gap', TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_ARGV[0]
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$body$
"""


def protect(table: str, count: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        [
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION journal_refuse_change()",
            f"CREATE TRIGGER {table}_next BEFORE INSERT ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION journal_check_next('{count}')",
        ]
    )


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name='Entry',
            fields=[
                ('position', models.BigIntegerField(primary_key=True, serialize=False)),
                ('at', models.DateTimeField()),
                ('event', models.TextField()),
                ('subject_type', models.TextField()),
                ('subject_id', models.TextField()),
                ('actor_id', models.BigIntegerField(null=True)),
                ('actor_label', models.TextField()),
                ('outcome', models.TextField(choices=[('done', 'fait'), ('refused', 'refusé')])),
                ('detail', models.JSONField()),
                ('leaf_hash', models.BinaryField(max_length=32)),
            ],
            options={
                'verbose_name': 'écriture',
                'ordering': ('position',),
                'indexes': [models.Index(fields=['subject_type', 'subject_id', 'position'], name='journal_entry_of_subject'), models.Index(fields=['event', 'position'], name='journal_entry_of_event', opclasses=['text_pattern_ops', 'int8_ops']), models.Index(fields=['at'], name='journal_entry_at')],
                'constraints': [models.CheckConstraint(condition=models.Q(('position__gte', 1)), name='journal_entry_from_one'), models.CheckConstraint(condition=models.Q(('event__regex', '^[a-z][a-z0-9_]*(\\.[a-z][a-z0-9_]*)+$')), name='journal_entry_event_code'), models.CheckConstraint(condition=models.Q(('outcome__in', ['done', 'refused'])), name='journal_entry_outcome'), models.CheckConstraint(condition=models.Q(models.Q(('subject_type', ''), _negated=True), models.Q(('actor_label', ''), _negated=True)), name='journal_entry_named'), models.CheckConstraint(condition=django.db.models.lookups.Exact(django.db.models.functions.text.Length('leaf_hash'), 32), name='journal_entry_leaf_hash')],
            },
        ),
        migrations.CreateModel(
            name='Seal',
            fields=[
                ('number', models.BigIntegerField(primary_key=True, serialize=False)),
                ('journal', models.TextField()),
                ('tree_size', models.BigIntegerField(unique=True)),
                ('root', models.BinaryField(max_length=32)),
                ('peaks', models.BinaryField()),
                ('previous_hash', models.BinaryField(max_length=32, unique=True)),
                ('sealed_at', models.DateTimeField()),
                ('seal_hash', models.BinaryField(max_length=32, unique=True)),
            ],
            options={
                'verbose_name': 'scellement',
                'ordering': ('number',),
                'constraints': [models.CheckConstraint(condition=models.Q(django.db.models.lookups.Exact(django.db.models.functions.text.Length('root'), 32), django.db.models.lookups.Exact(django.db.models.functions.text.Length('previous_hash'), 32), django.db.models.lookups.Exact(django.db.models.functions.text.Length('seal_hash'), 32)), name='journal_seal_hashes'), models.CheckConstraint(condition=models.Q(('tree_size__gte', models.F('number')), django.db.models.lookups.GreaterThan(django.db.models.functions.text.Length('peaks'), 0)), name='journal_seal_covers_something')],
            },
        ),
        migrations.RunSQL(
            "ALTER TABLE journal_entry ADD CONSTRAINT journal_entry_detail_is_small CHECK "
            "(jsonb_typeof(detail) = 'object' AND octet_length(detail::text) <= 16384)"
        ),
        migrations.RunSQL([REFUSE_CHANGE, CHECK_NEXT]),
        protect("journal_entry", "position"),
        protect("journal_seal", "number"),
    ]
