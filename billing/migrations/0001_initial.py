"""The tables of billing; what keeps an issued invoice as it is, and its numbers without gap."""

import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.math
from decimal import Decimal
from django.conf import settings
from django.db import migrations, models


REFUSE_ISSUED = """
CREATE FUNCTION billing_refuse_issued() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF OLD.state = 'issued' THEN
        RAISE EXCEPTION 'invoice %: issued, it is corrected by a credit note only', OLD.number
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$body$
"""

REFUSE_LINE = """
CREATE FUNCTION billing_refuse_issued_line() RETURNS trigger LANGUAGE plpgsql AS $body$
DECLARE
    frozen boolean;
BEGIN
    EXECUTE format(
        'SELECT EXISTS (SELECT 1 FROM %I.billing_invoice WHERE state = $1 AND id IN ($2, $3))',
        TG_TABLE_SCHEMA
    ) INTO frozen USING
        'issued'::text,
        CASE WHEN TG_OP = 'INSERT' THEN NULL ELSE OLD.invoice_id END,
        CASE WHEN TG_OP = 'DELETE' THEN NULL ELSE NEW.invoice_id END;
    IF frozen THEN
        RAISE EXCEPTION 'a line of an issued invoice never changes'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$body$
"""

CHECK_NEXT = """
CREATE FUNCTION billing_check_next() RETURNS trigger LANGUAGE plpgsql AS $body$
DECLARE
    follows boolean;
BEGIN
    EXECUTE format(
        'SELECT ($1).rank = coalesce(max(rank), 0) + 1 FROM %I.billing_invoice '
        'WHERE kind = ($1).kind AND year = ($1).year AND state = ($1).state',
        TG_TABLE_SCHEMA
    ) INTO follows USING NEW;
    IF follows IS NOT TRUE THEN
        RAISE EXCEPTION 'invoice %: its number would leave a gap', NEW.number
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$body$
"""

REFUSE_TRUNCATE = """
CREATE FUNCTION billing_refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    RAISE EXCEPTION '%: invoices are never emptied', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$body$
"""

PROTECT = [
    REFUSE_ISSUED,
    REFUSE_LINE,
    CHECK_NEXT,
    REFUSE_TRUNCATE,
    "CREATE TRIGGER billing_invoice_frozen BEFORE UPDATE OR DELETE ON billing_invoice "
    "FOR EACH ROW EXECUTE FUNCTION billing_refuse_issued()",
    "CREATE TRIGGER billing_invoice_next BEFORE INSERT OR UPDATE ON billing_invoice "
    "FOR EACH ROW WHEN (NEW.state = 'issued') EXECUTE FUNCTION billing_check_next()",
    "CREATE TRIGGER billing_invoice_kept BEFORE TRUNCATE ON billing_invoice "
    "FOR EACH STATEMENT EXECUTE FUNCTION billing_refuse_truncate()",
    "CREATE TRIGGER billing_line_frozen BEFORE INSERT OR UPDATE OR DELETE ON billing_line "
    "FOR EACH ROW EXECUTE FUNCTION billing_refuse_issued_line()",
    "CREATE TRIGGER billing_line_kept BEFORE TRUNCATE ON billing_line "
    "FOR EACH STATEMENT EXECUTE FUNCTION billing_refuse_truncate()",
]


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('directory', '0001_initial'),
        ('documents', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Product',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.SlugField(max_length=20, unique=True, verbose_name='code')),
                ('label', models.CharField(max_length=160, verbose_name='libellé')),
            ],
            options={
                'ordering': ('code',),
            },
        ),
        migrations.CreateModel(
            name='Counter',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('invoice', 'Facture'), ('credit_note', 'Avoir')], max_length=11)),
                ('year', models.PositiveSmallIntegerField()),
                ('last', models.PositiveIntegerField(default=0)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('kind', 'year'), name='billing_one_counter_each')],
            },
        ),
        migrations.CreateModel(
            name='Invoice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('invoice', 'Facture'), ('credit_note', 'Avoir')], default='invoice', max_length=11)),
                ('state', models.CharField(choices=[('draft', 'Brouillon'), ('issued', 'Émise')], default='draft', max_length=6)),
                ('created_at', models.DateTimeField()),
                ('chorus_service', models.CharField(blank=True, max_length=100, verbose_name='code service Chorus Pro')),
                ('engagement', models.CharField(blank=True, max_length=50, verbose_name='numéro d’engagement')),
                ('reason', models.CharField(blank=True, max_length=300, verbose_name='motif')),
                ('year', models.PositiveSmallIntegerField(null=True)),
                ('rank', models.PositiveIntegerField(null=True)),
                ('number', models.CharField(max_length=20, null=True, unique=True, verbose_name='numéro')),
                ('issued_on', models.DateField(null=True, verbose_name='émise le')),
                ('due_on', models.DateField(null=True, verbose_name='échéance')),
                ('seller', models.JSONField(default=dict)),
                ('buyer', models.JSONField(default=dict)),
                ('total_ht', models.DecimalField(decimal_places=2, default=Decimal('0'), max_digits=12)),
                ('total_vat', models.DecimalField(decimal_places=2, default=Decimal('0'), max_digits=12)),
                ('total_ttc', models.DecimalField(decimal_places=2, default=Decimal('0'), max_digits=12)),
                ('corrects', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='credit_note', to='billing.invoice')),
                ('file', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='documents.storedfile')),
                ('issued_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='invoices', to='directory.organisation')),
            ],
            options={
                'ordering': ('-issued_on', '-number', '-pk'),
            },
        ),
        migrations.CreateModel(
            name='Line',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('unit_price', models.DecimalField(decimal_places=2, max_digits=10, verbose_name='prix unitaire HT')),
                ('regime', models.CharField(choices=[('out_of_scope', 'Hors champ (contribution statutaire)'), ('exempt', 'Exonéré (groupement, art. 261 B)'), ('franchise', 'Franchise en base (art. 293 B)'), ('taxed', 'Taxable')], max_length=12, verbose_name='régime de TVA')),
                ('rate', models.DecimalField(decimal_places=2, default=Decimal('0'), max_digits=4, verbose_name='taux de TVA')),
                ('label', models.CharField(max_length=300, verbose_name='désignation')),
                ('rule', models.CharField(max_length=160, verbose_name='règle de prix')),
                ('quantity', models.PositiveIntegerField(verbose_name='quantité')),
                ('ht', models.DecimalField(decimal_places=2, max_digits=12)),
                ('vat', models.DecimalField(decimal_places=2, max_digits=12)),
                ('invoice', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='lines', to='billing.invoice')),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.product')),
            ],
            options={
                'ordering': ('pk',),
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='Price',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('unit_price', models.DecimalField(decimal_places=2, max_digits=10, verbose_name='prix unitaire HT')),
                ('regime', models.CharField(choices=[('out_of_scope', 'Hors champ (contribution statutaire)'), ('exempt', 'Exonéré (groupement, art. 261 B)'), ('franchise', 'Franchise en base (art. 293 B)'), ('taxed', 'Taxable')], max_length=12, verbose_name='régime de TVA')),
                ('rate', models.DecimalField(decimal_places=2, default=Decimal('0'), max_digits=4, verbose_name='taux de TVA')),
                ('population_from', models.PositiveIntegerField(default=0, verbose_name='à partir de (habitants)')),
                ('population_until', models.PositiveIntegerField(blank=True, null=True, verbose_name='jusqu’à (habitants)')),
                ('valid_from', models.DateField(verbose_name='à partir du')),
                ('valid_until', models.DateField(blank=True, null=True, verbose_name='jusqu’au')),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='prices', to='billing.product')),
            ],
            options={
                'ordering': ('product__code', 'population_from', '-valid_from'),
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='BillableItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('unit_price', models.DecimalField(decimal_places=2, max_digits=10, verbose_name='prix unitaire HT')),
                ('regime', models.CharField(choices=[('out_of_scope', 'Hors champ (contribution statutaire)'), ('exempt', 'Exonéré (groupement, art. 261 B)'), ('franchise', 'Franchise en base (art. 293 B)'), ('taxed', 'Taxable')], max_length=12, verbose_name='régime de TVA')),
                ('rate', models.DecimalField(decimal_places=2, default=Decimal('0'), max_digits=4, verbose_name='taux de TVA')),
                ('source', models.CharField(max_length=80, unique=True)),
                ('happened_on', models.DateField(verbose_name='date du fait')),
                ('label', models.CharField(max_length=300, verbose_name='désignation')),
                ('rule', models.CharField(max_length=160, verbose_name='règle de prix')),
                ('is_first_free', models.BooleanField(default=False)),
                ('quantity', models.PositiveIntegerField(default=1, verbose_name='quantité')),
                ('collected_at', models.DateTimeField()),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='billable_items', to='directory.organisation')),
                ('line', models.OneToOneField(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='item', to='billing.line')),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.product')),
            ],
            options={
                'ordering': ('happened_on', 'pk'),
                'abstract': False,
            },
        ),
        migrations.AddIndex(
            model_name='invoice',
            index=models.Index(fields=['state', 'year', 'kind'], name='billing_invoice_of_year'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('due_on', None), ('file', None), ('issued_by', None), ('issued_on', None), ('number', None), ('rank', None), ('state', 'draft'), ('year', None)), models.Q(('due_on__gte', models.F('issued_on')), ('file__isnull', False), ('issued_by__isnull', False), ('issued_on__isnull', False), ('number__isnull', False), ('rank__gt', 0), ('state', 'issued'), ('year__isnull', False)), _connector='OR'), name='billing_only_issued_is_numbered'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('corrects__isnull', False), ('kind', 'credit_note'), models.Q(('reason', ''), _negated=True)), models.Q(('corrects', None), ('kind', 'invoice'), ('reason', '')), _connector='OR'), name='billing_credit_note_corrects_an_invoice'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.CheckConstraint(condition=models.Q(('total_ttc', django.db.models.expressions.CombinedExpression(models.F('total_ht'), '+', models.F('total_vat')))), name='billing_totals_add_up'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.UniqueConstraint(fields=('kind', 'year', 'rank'), name='billing_one_invoice_each_rank'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.UniqueConstraint(condition=models.Q(('kind', 'invoice'), ('state', 'draft')), fields=('organisation',), name='billing_one_draft_each_body'),
        ),
        migrations.AddConstraint(
            model_name='price',
            constraint=models.CheckConstraint(condition=models.Q(('unit_price__gte', 0)), name='billing_price_price_is_no_gift'),
        ),
        migrations.AddConstraint(
            model_name='price',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('rate__gt', 0), ('regime', 'taxed')), models.Q(models.Q(('regime', 'taxed'), _negated=True), ('rate', 0)), _connector='OR'), name='billing_price_only_taxed_has_a_rate'),
        ),
        migrations.AddConstraint(
            model_name='price',
            constraint=models.CheckConstraint(condition=models.Q(('population_until', None), ('population_until__gte', models.F('population_from')), _connector='OR'), name='billing_stratum_is_ordered'),
        ),
        migrations.AddConstraint(
            model_name='price',
            constraint=models.CheckConstraint(condition=models.Q(('valid_until', None), ('valid_until__gte', models.F('valid_from')), _connector='OR'), name='billing_price_validity_is_ordered'),
        ),
        migrations.AddConstraint(
            model_name='price',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(expressions=[(models.Func(models.F('product'), models.F('product'), models.Value('[]'), function='int8range', output_field=django.contrib.postgres.fields.ranges.BigIntegerRangeField()), '&&'), (models.Func(models.F('valid_from'), models.F('valid_until'), models.Value('[]'), function='daterange', output_field=django.contrib.postgres.fields.ranges.DateRangeField()), '&&'), (models.Func(models.F('population_from'), models.F('population_until'), models.Value('[]'), function='int4range', output_field=django.contrib.postgres.fields.ranges.IntegerRangeField()), '&&')], name='billing_one_price_for_a_body_on_a_day'),
        ),
        migrations.AddConstraint(
            model_name='line',
            constraint=models.CheckConstraint(condition=models.Q(('unit_price__gte', 0)), name='billing_line_price_is_no_gift'),
        ),
        migrations.AddConstraint(
            model_name='line',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('rate__gt', 0), ('regime', 'taxed')), models.Q(models.Q(('regime', 'taxed'), _negated=True), ('rate', 0)), _connector='OR'), name='billing_line_only_taxed_has_a_rate'),
        ),
        migrations.AddConstraint(
            model_name='line',
            constraint=models.CheckConstraint(condition=models.Q(('quantity__gt', 0)), name='billing_line_counts_some'),
        ),
        migrations.AddConstraint(
            model_name='line',
            constraint=models.CheckConstraint(condition=models.Q(('ht', django.db.models.expressions.CombinedExpression(models.F('quantity'), '*', models.F('unit_price')))), name='billing_line_multiplies'),
        ),
        migrations.AddConstraint(
            model_name='line',
            constraint=models.CheckConstraint(condition=models.Q(('vat', django.db.models.functions.math.Round(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('ht'), '*', models.F('rate')), '/', models.Value(Decimal('100'))), precision=2))), name='billing_line_tax_is_rounded_half_up'),
        ),
        migrations.AddIndex(
            model_name='billableitem',
            index=models.Index(condition=models.Q(('line', None)), fields=['organisation'], name='billing_item_to_bill'),
        ),
        migrations.AddConstraint(
            model_name='billableitem',
            constraint=models.CheckConstraint(condition=models.Q(('unit_price__gte', 0)), name='billing_billableitem_price_is_no_gift'),
        ),
        migrations.AddConstraint(
            model_name='billableitem',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('rate__gt', 0), ('regime', 'taxed')), models.Q(models.Q(('regime', 'taxed'), _negated=True), ('rate', 0)), _connector='OR'), name='billing_billableitem_only_taxed_has_a_rate'),
        ),
        migrations.AddConstraint(
            model_name='billableitem',
            constraint=models.CheckConstraint(condition=models.Q(('quantity__gt', 0)), name='billing_item_counts_some'),
        ),
        migrations.AddConstraint(
            model_name='billableitem',
            constraint=models.UniqueConstraint(condition=models.Q(('is_first_free', True)), fields=('organisation',), name='billing_one_free_certificate_each'),
        ),
        migrations.RunSQL(PROTECT),
    ]
