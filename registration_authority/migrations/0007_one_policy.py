"""One policy for an offer: what three tables said is copied into one.

The two former tables stay for the code that still serves, and go with the next release.
"""

import django.contrib.postgres.fields
import registration_authority.dossier.models
import registration_authority.revocation.models
from django.db import migrations, models


def copy_rules(apps, schema_editor):
    """Put what is in force for each offer in its profile; nothing is destroyed earlier for it."""
    Offer = apps.get_model("registration_authority", "Offer")
    PolicyProfile = apps.get_model("registration_authority", "PolicyProfile")
    RetentionRules = apps.get_model("registration_authority", "RetentionRules")
    for offer in Offer.objects.all():
        profile = PolicyProfile.objects.filter(offer=offer).first()
        if profile is None:
            profile = PolicyProfile(offer=offer, archive_location="authority")
        profile.renewals_without_face_to_face = offer.renewals_without_face_to_face
        _copy_revocation(profile, getattr(offer, "revocation_rules", None))
        _copy_retention(profile, getattr(offer, "retention_rules", None) or RetentionRules())
        profile.save()


def _copy_revocation(profile, rules):
    if rules is None:
        return
    profile.revocation_hours = rules.hours
    profile.revocation_warn_hours = rules.warn_after_hours
    profile.revocation_identify_hours = rules.identify_within_hours
    profile.revocation_four_eyes = rules.four_eyes
    profile.may_ask = rules.may_ask
    profile.wrong_codes = rules.wrong_codes
    profile.wrong_codes_by_address = 5 * rules.wrong_codes
    profile.wrong_codes_minutes = rules.wrong_codes_minutes
    profile.falls_with_mandate = rules.falls_with_mandate


def _copy_retention(profile, rules):
    """Identity copies followed the profile, everything else the rules: each keeps its term."""
    if profile.archive_location == "authority":
        profile.identity_copy_days = profile.working_copy_days
        profile.archive_location = rules.place
        profile.working_copy_days = rules.working_copy_days
        profile.retention_years = rules.years_after_end
        return
    # Both at the counter, or the copies here and the rest at the authority: the longer of the two.
    profile.identity_copy_days = None
    profile.working_copy_days = max(profile.working_copy_days, rules.working_copy_days)
    profile.retention_years = max(profile.retention_years, rules.years_after_end)


def bury_copies(apps, schema_editor):
    """Give each identity copy destroyed before today the tombstone every document has."""
    IdentityCopy = apps.get_model("registration_authority", "IdentityCopy")
    Piece = apps.get_model("registration_authority", "Piece")
    Tombstone = apps.get_model("registration_authority", "Tombstone")
    kinds = {
        "identity": "Pièce d’identité",
        "legal_id": "Pièce d’identité du représentant légal",
    }
    for copy in IdentityCopy.objects.exclude(purged_at=None).iterator():
        piece = Piece.objects.filter(content=copy.pk).first()
        if piece is None or Tombstone.objects.filter(content=copy.pk).exists():
            continue
        Tombstone.objects.create(
            file_id=piece.file_id,
            what=kinds.get(piece.kind, piece.kind),
            content=copy.pk,
            sha256=copy.sha256,
            size=copy.size,
            clock=copy.clock,
            kept_from=copy.kept_at,
            purged_at=copy.purged_at,
        )
        piece.name = "document purgé"
        piece.save(update_fields=["name"])


class Migration(migrations.Migration):

    dependencies = [
        ('registration_authority', '0006_offer_cost'),
    ]

    operations = [
        migrations.AddField(
            model_name='policyprofile',
            name='answer_days',
            field=models.PositiveSmallIntegerField(db_default=5, default=5, verbose_name='alerte sans réponse de l’autorité (jours)'),
        ),
        migrations.AddField(
            model_name='policyprofile',
            name='falls_with_mandate',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('authentication', 'Authentification'), ('signature', 'Signature'), ('dual', 'Authentification et signature')], max_length=14), blank=True, db_default=['signature', 'dual'], default=registration_authority.revocation.models.signing_usages, size=None, verbose_name='usages qui tombent avec le mandat'),
        ),
        migrations.AddField(
            model_name='policyprofile',
            name='identity_copy_days',
            field=models.PositiveSmallIntegerField(blank=True, db_default=60, default=60, null=True, verbose_name='copies d’identité (jours)'),
        ),
        migrations.AddField(
            model_name='policyprofile',
            name='identity_documents',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('cni', 'Carte nationale d’identité'), ('passport', 'Passeport'), ('permit', 'Titre de séjour')], max_length=8), db_default=['cni', 'passport', 'permit'], default=registration_authority.dossier.models.every_document, size=None, verbose_name='pièces d’identité admises'),
        ),
        migrations.AddField(
            model_name='policyprofile',
            name='may_ask',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('holder', 'La personne titulaire'), ('representative', 'Le représentant légal'), ('officer', 'Le guichet'), ('caller', 'Un appel sans code'), ('authority', 'L’autorité de certification')], max_length=14), db_default=['holder', 'representative', 'officer', 'caller', 'authority'], default=registration_authority.revocation.models.everybody, size=None, verbose_name='qui peut demander'),
        ),
        migrations.AddField(
            model_name='policyprofile',
            name='reminders',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.PositiveSmallIntegerField(), db_default=[90, 60, 30, 15, 7], default=registration_authority.dossier.models.reminder_days, size=None, verbose_name='rappels (jours avant la fin)'),
        ),
        migrations.AddField(
            model_name='policyprofile',
            name='renewals_without_face_to_face',
            field=models.PositiveSmallIntegerField(db_default=0, default=0, verbose_name='renouvellements sans nouveau face à face'),
        ),
        migrations.AddField(
            model_name='policyprofile',
            name='renewal_window_days',
            field=models.PositiveSmallIntegerField(db_default=90, default=90, verbose_name='renouvellement ouvert (jours avant la fin)'),
        ),
        migrations.AddField(
            model_name='policyprofile',
            name='revocation_four_eyes',
            field=models.BooleanField(db_default=True, default=True, verbose_name='deux personnes au guichet, sauf urgence'),
        ),
        migrations.AddField(
            model_name='policyprofile',
            name='revocation_hours',
            field=models.PositiveSmallIntegerField(db_default=24, default=24, verbose_name='délai de publication, en heures'),
        ),
        migrations.AddField(
            model_name='policyprofile',
            name='revocation_identify_hours',
            field=models.PositiveSmallIntegerField(db_default=2, default=2, verbose_name='décision sous, en heures'),
        ),
        migrations.AddField(
            model_name='policyprofile',
            name='revocation_warn_hours',
            field=models.PositiveSmallIntegerField(db_default=12, default=12, verbose_name='alerte après, en heures'),
        ),
        migrations.AddField(
            model_name='policyprofile',
            name='wrong_codes',
            field=models.PositiveSmallIntegerField(db_default=5, default=5, verbose_name='essais du code par personne'),
        ),
        migrations.AddField(
            model_name='policyprofile',
            name='wrong_codes_by_address',
            field=models.PositiveSmallIntegerField(db_default=25, default=25, verbose_name='essais du code par adresse Internet'),
        ),
        migrations.AddField(
            model_name='policyprofile',
            name='wrong_codes_minutes',
            field=models.PositiveSmallIntegerField(db_default=60, default=60, verbose_name='en combien de minutes'),
        ),
        migrations.AddField(
            model_name='tombstone',
            name='clock',
            field=models.CharField(blank=True, choices=[('counter', 'copie de travail du syndicat'), ('authority', 'conservation demandée par l’autorité')], db_default='', default='', max_length=9),
        ),
        migrations.AlterField(
            model_name='policyprofile',
            name='archive_location',
            field=models.CharField(choices=[('authority', 'L’autorité de certification conserve le dossier'), ('counter', 'Le syndicat conserve le dossier')], default='counter', max_length=9, verbose_name='conservation du dossier'),
        ),
        migrations.AddField(
            model_name='certificaterequest',
            name='late_told_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.RunPython(copy_rules, migrations.RunPython.noop),
        migrations.RunPython(bury_copies, migrations.RunPython.noop),
    ]
