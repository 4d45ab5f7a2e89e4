"""The ledger of tokens only grows; every offer of before gets its policy, to be adjusted."""

from django.db import migrations

REFUSE = """
CREATE FUNCTION registration_authority_ledger_only_grows() RETURNS trigger
LANGUAGE plpgsql AS $body$
BEGIN
    RAISE EXCEPTION 'the ledger of tokens only grows' USING ERRCODE = 'restrict_violation';
END
$body$
"""
PROTECT = """
CREATE TRIGGER registration_authority_tokenmovement_append_only
    BEFORE UPDATE OR DELETE ON registration_authority_tokenmovement
    FOR EACH ROW EXECUTE FUNCTION registration_authority_ledger_only_grows()
"""


def give_profiles(apps, schema_editor):
    Offer = apps.get_model("registration_authority", "Offer")
    PolicyProfile = apps.get_model("registration_authority", "PolicyProfile")
    PolicyProfile.objects.bulk_create(
        PolicyProfile(offer=offer) for offer in Offer.objects.filter(profile=None)
    )


class Migration(migrations.Migration):

    dependencies = [("registration_authority", "0003_accreditation_stock_and_slots")]

    operations = [
        migrations.RunSQL(REFUSE, "DROP FUNCTION registration_authority_ledger_only_grows()"),
        migrations.RunSQL(
            PROTECT,
            "DROP TRIGGER registration_authority_tokenmovement_append_only "
            "ON registration_authority_tokenmovement",
        ),
        migrations.RunPython(give_profiles, migrations.RunPython.noop),
    ]
