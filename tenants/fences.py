"""The fences in the database: who owns, who serves, what each commune may see of what is shared.

`SHARES` says for every table of the public schema whose it is; a table that is not there is
nobody's and a test fails. `apply` writes roles, privileges and row-level policies as the owner;
`socle_fence` and `socle_provision`, functions of the database, do the same for one commune.
"""
# ruff: noqa: S608 -- this module writes SQL from its own constants and from the models' names.

import hashlib
from dataclasses import dataclass
from typing import Final

from django.apps import apps
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Model
from psycopg import sql

from socle.core.roles import COMMUNE, COMMUNE_SCHEMA, OWNER, WEB

READ: Final = "SELECT"
WRITE: Final = "SELECT, INSERT, UPDATE"
OWN_HERE: Final = "(SELECT public.socle_organisation(current_user))"


@dataclass(frozen=True, slots=True)
class Share:
    """What a commune sees of one shared table: the rows where `rows` holds, with `verbs`.

    `rows` is SQL; "" means every row.
    """

    rows: str = ""
    verbs: str = READ


@dataclass(frozen=True, slots=True)
class Secret:
    """A table no commune ever reads."""

    why: str


def by(column: str = "organisation_id", verbs: str = READ) -> Share:
    """The rows whose `column` is the commune."""
    return Share(f"{column} = {OWN_HERE}", verbs)


def through(column: str, parent: str, verbs: str = READ) -> Share:
    """The rows whose parent the commune sees: the policy of `parent` decides."""
    return Share(f"{column} IN (SELECT id FROM public.{parent})", verbs)


EVERYBODY: Final = Share()
PLATFORM: Final = Secret("how the platform itself works")
LOGIN: Final = Secret("what opens a session")
COUNTER: Final = Secret("keys and signatures of the training authority")
OPERATOR: Final = Secret("accounts at an operator, and what was said to it")
SYNDICAT: Final = Secret("the syndicat's own work")
_FILES: Final = "registration_authority_certificatefile"
_CASES: Final = "onboarding_onboardingcase"

SHARES: Final[dict[str, Share | Secret]] = {
    "contenttypes.ContentType": PLATFORM,
    "auth.Permission": PLATFORM,
    "auth.Group": PLATFORM,
    "auth.Group_permissions": PLATFORM,
    "sessions.Session": LOGIN,
    "accounts.Person": LOGIN,  # people are seen through the view `_PEOPLE`, without their secrets
    "accounts.Authenticator": LOGIN,
    "accounts.RecoveryCode": LOGIN,
    "accounts.LoginAttempt": LOGIN,
    "accounts.Login": LOGIN,
    "accounts.Ticket": LOGIN,
    "accounts.LoginCertificate": Share(
        "'t_' || siren = current_user OR id IN "
        "(SELECT certificate_id FROM public.accounts_certificatebody)",
        "SELECT, UPDATE",
    ),
    "accounts.CertificateBody": Share("'t_' || siren = current_user"),
    "accounts.StepUpRule": Share("'t_' || siren = current_user"),
    "journal.Entry": SYNDICAT,
    "journal.Seal": SYNDICAT,
    "documents.StoredFile": SYNDICAT,
    "document_keys.DataKey": Share("scope = current_user", "SELECT, INSERT"),
    "directory.StateOffice": EVERYBODY,
    "directory.FormerCommune": EVERYBODY,
    "directory.Organisation": Share(f"id = {OWN_HERE} OR kind IN ('epci', 'syndicat')"),
    "directory.Contact": by(),
    "directory.Membership": by(),
    "directory.SpaceStop": by(),
    "directory.Grant": by(),
    "directory.TransmissionRight": by(verbs=WRITE),
    "delivery.TransmissionOperator": EVERYBODY,
    "delivery.Window": EVERYBODY,
    "delivery.Outbound": by(verbs=WRITE),
    "delivery.Inbound": by(),
    "delivery.Stumble": PLATFORM,
    "delivery.Decision": SYNDICAT,
    "delivery.Answered": through("outbound_id", "delivery_outbound"),
    "s2low.S2lowAccount": OPERATOR,
    "s2low.S2lowTransaction": OPERATOR,
    "s2low.S2lowPaper": OPERATOR,
    "direct.DirectLink": OPERATOR,
    "direct.DirectPost": OPERATOR,
    "direct.DirectMail": OPERATOR,
    "explanations.Explanation": EVERYBODY,
    "notices.Notice": by(verbs=WRITE),
    "training.Programme": EVERYBODY,
    "training.TrainingSession": EVERYBODY,
    "training.AttendanceSlot": EVERYBODY,
    "training.Registration": by(verbs=WRITE),
    "training.Attendance": through("registration_id", "training_registration"),
    "training.TrainingCertificate": through(
        "registration_id", "training_registration", "SELECT, UPDATE"
    ),
    "registration_authority.CertificationAuthority": EVERYBODY,
    "registration_authority.RevocationListCopy": EVERYBODY,
    "registration_authority.TrainingKey": COUNTER,
    "registration_authority.TrainingIssue": COUNTER,
    "registration_authority.CmpLink": COUNTER,
    "registration_authority.CmpExchange": COUNTER,
    "registration_authority.Offer": EVERYBODY,
    "registration_authority.CertificateFile": by(verbs=WRITE),
    "registration_authority.Piece": through("file_id", _FILES, WRITE),
    "registration_authority.FaceToFace": through("file_id", _FILES),
    "registration_authority.CertificateRequest": through("file_id", _FILES, WRITE),
    "registration_authority.Certificate": through("file_id", _FILES, "SELECT, UPDATE"),
    "registration_authority.Renewal": through(
        "certificate_id", "registration_authority_certificate"
    ),
    "registration_authority.HandOver": through(
        "certificate_id", "registration_authority_certificate", "SELECT, UPDATE"
    ),
    "registration_authority.Convention": SYNDICAT,
    "registration_authority.Operator": SYNDICAT,
    "registration_authority.Denial": SYNDICAT,
    "registration_authority.PolicyProfile": EVERYBODY,
    "registration_authority.PieceRule": EVERYBODY,
    "registration_authority.Mandate": by(),
    "registration_authority.Note": SYNDICAT,
    "registration_authority.IdentityCopy": SYNDICAT,
    "registration_authority.OpeningBatch": SYNDICAT,
    "registration_authority.OpeningLine": SYNDICAT,
    "registration_authority.Slot": Share(
        f"organisation_id IS NULL OR organisation_id = {OWN_HERE}"
    ),
    "registration_authority.Appointment": through("file_id", _FILES, WRITE),
    "registration_authority.Location": SYNDICAT,
    "registration_authority.TokenBatch": SYNDICAT,
    "registration_authority.Token": SYNDICAT,
    "registration_authority.TokenMovement": SYNDICAT,
    "registration_authority.Count": SYNDICAT,
    "registration_authority.Sleeve": SYNDICAT,
    "registration_authority.SleeveLine": SYNDICAT,
    "registration_authority.TrustStore": SYNDICAT,
    "registration_authority.Pairing": SYNDICAT,
    "registration_authority.RevocationRules": EVERYBODY,
    "registration_authority.RevocationRequest": through(
        "certificate_id", "registration_authority_certificate", WRITE
    ),
    "registration_authority.RevocationCode": through(
        "certificate_id", "registration_authority_certificate", WRITE
    ),
    "registration_authority.RevocationAttempt": LOGIN,
    "registration_authority.ElectionCampaign": SYNDICAT,
    "registration_authority.ElectionLine": SYNDICAT,
    "registration_authority.RetentionRules": EVERYBODY,
    "registration_authority.OfferCost": SYNDICAT,
    "registration_authority.Tombstone": SYNDICAT,
    "registration_authority.TrustedAuthority": EVERYBODY,
    "registration_authority.TrustedList": SYNDICAT,
    "registration_authority.WatchedCertificate": by(verbs=WRITE),
    "billing.Product": EVERYBODY,
    "billing.Price": EVERYBODY,
    "billing.Invoice": by(),
    "billing.Line": through("invoice_id", "billing_invoice"),
    "billing.BillableItem": by(),
    "billing.Counter": SYNDICAT,
    "tenants.Tenant": by(),
    "tenants.Domain": through("tenant_id", "tenants_tenant"),
    "tenants.Blueprint": PLATFORM,
    "opendata.Edition": SYNDICAT,
    "api.SoftwareAccess": by(verbs=WRITE),
    "onboarding.OnboardingCase": by(verbs=WRITE),
    "onboarding.StepRecord": through("case_id", _CASES, WRITE),
    "onboarding.Deliberation": through("case_id", _CASES, WRITE),
    "onboarding.ProcurementRoute": through("case_id", _CASES, WRITE),
    "onboarding.ActesConvention": through("case_id", _CASES, WRITE),
    "onboarding.HeliosAdhesion": through("case_id", _CASES, WRITE),
    "onboarding.CaseBatch": SYNDICAT,
    "onboarding.CaseBatchRow": SYNDICAT,
    "life.Space": SYNDICAT,
    "life.Archive": SYNDICAT,
    "life.Download": SYNDICAT,
    "life.Destruction": SYNDICAT,
    "life.DestructionStep": SYNDICAT,
}

_FROZEN_FOR_WEB: Final = ("tenants_blueprint", "django_migrations")
_APPEND_ONLY: Final = ("journal_entry", "journal_seal")


def public_models() -> list[type[Model]]:
    """Every model with a table in the public schema."""
    labels = {app.split(".")[-1] for app in settings.SHARED_APPS}
    found = apps.get_models(include_auto_created=True)
    return [model for model in found if _app_of(model) in labels and model._meta.managed]


def _app_of(model: type[Model]) -> str:
    return model._meta.app_config.name.split(".")[-1] if model._meta.app_config else ""


def apply(*, force: bool = False) -> bool:
    """Write the public part, unless it is there already; whether anything was written.

    Then give its fence to every commune that has none: roles are not in a backup of one database.
    To be run as the owner.
    """
    script = public_script()
    digest = hashlib.sha256(script.encode()).hexdigest()
    written = force or _standing() != digest
    with transaction.atomic(), connection.cursor() as cursor:
        if written:
            cursor.execute("SELECT pg_advisory_xact_lock(7302027)")
            cursor.execute(script)
            cursor.execute(f"COMMENT ON SCHEMA {COMMUNE_SCHEMA} IS '{digest}'")
        cursor.execute(
            "SELECT public.socle_fence(schema_name) FROM public.tenants_tenant "
            "WHERE organisation_id IS NOT NULL AND NOT EXISTS "
            "(SELECT FROM pg_roles WHERE rolname = schema_name "
            " AND has_schema_privilege(rolname, schema_name, 'USAGE'))"
        )
    return written


def is_closed() -> bool:
    """Whether a superuser closed `set_config` to communes, which the owner cannot."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT NOT has_function_privilege(%s, "
            "'pg_catalog.set_config(text,text,boolean)', 'EXECUTE')",
            [COMMUNE],
        )
        return bool(cursor.fetchone()[0])


def _standing() -> str | None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT obj_description(to_regnamespace(%s), 'pg_namespace')", [COMMUNE_SCHEMA]
        )
        row = cursor.fetchone()
    return row[0] if row else None


def public_script() -> str:
    """The roles, the functions, the privileges and the policies of the public schema."""
    return "\n".join([_ROLES, _FUNCTIONS, _GRANTS, _PEOPLE, *map(_policies, public_models())])


def fingerprint() -> str:
    """What the fence of a commune is made of: part of the blueprint's fingerprint."""
    return hashlib.sha256(_FENCE.encode()).hexdigest()


def fence_script(schema: str) -> str:
    """The SQL that puts the fence of one commune up, again after an upgrade."""
    call = sql.SQL("SELECT public.socle_fence({});").format(sql.Literal(schema))
    return call.as_string(None)


def _policies(model: type[Model]) -> str:
    """Privileges and policies of one table; a table nobody declared is closed to communes."""
    table = f"public.{model._meta.db_table}"
    share = SHARES.get(model._meta.label, PLATFORM)
    lines = [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;",
        f"DROP POLICY IF EXISTS platform ON {table};",
        f"DROP POLICY IF EXISTS commune ON {table};",
        f"CREATE POLICY platform ON {table} TO {WEB} USING (true) WITH CHECK (true);",
    ]
    if isinstance(share, Share):
        rows = share.rows or "true"
        lines += [
            f"CREATE POLICY commune ON {table} TO {COMMUNE} USING ({rows}) WITH CHECK ({rows});",
            f"GRANT {share.verbs} ON {table} TO {COMMUNE};",
        ]
        if "INSERT" in share.verbs:
            lines.append(_sequence_grant(model))
    return "\n".join(lines)


def _sequence_grant(model: type[Model]) -> str:
    column, table = model._meta.pk.column, f"public.{model._meta.db_table}"
    return (
        "DO $do$ DECLARE found text; BEGIN "
        f"found := pg_get_serial_sequence('{table}', '{column}'); IF found IS NOT NULL THEN "
        f"EXECUTE format('GRANT USAGE ON SEQUENCE %s TO {COMMUNE}', found); END IF; END $do$;"
    )


_ROLES: Final = f"""
DO $do$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['{COMMUNE}', '{WEB}'] LOOP
        CONTINUE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = wanted);
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN NOINHERIT', wanted);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
        END;
    END LOOP;
END
$do$;
CREATE SCHEMA IF NOT EXISTS {COMMUNE_SCHEMA};
"""

_FENCE: Final = f"""
CREATE OR REPLACE FUNCTION public.socle_fence(commune text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog SET client_min_messages = warning AS $body$
DECLARE
    recent boolean := current_setting('server_version_num')::int >= 160000;
    plainly text := CASE WHEN recent THEN ' WITH INHERIT FALSE, SET TRUE' ELSE '' END;
    plainly_set text := CASE WHEN recent THEN 'SET' ELSE 'MEMBER' END;
    other name;
    tables text;
    granted text;
    sequences text;
BEGIN
    IF commune !~ '^t_[a-z0-9_]+$' THEN
        RAISE EXCEPTION '% is not the schema of a commune', commune;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = commune) THEN
        BEGIN
            EXECUTE format(
                'CREATE ROLE %I NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE INHERIT', commune
            );
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
        END;
    END IF;
    IF NOT EXISTS (
        SELECT FROM pg_auth_members
         WHERE roleid = '{COMMUNE}'::regrole AND member = commune::regrole
    ) THEN
        EXECUTE format('GRANT {COMMUNE} TO %I', commune);
    END IF;
    FOREACH other IN ARRAY ARRAY['{WEB}', '{OWNER}'] LOOP
        CONTINUE WHEN pg_has_role(other, commune, plainly_set);
        EXECUTE format('GRANT %I TO %I', commune, other) || plainly;
    END LOOP;
    -- What depends on the schema, by an index; ON ALL TABLES IN SCHEMA would read the tables of all
    -- communes, once for each kind of table.
    SELECT string_agg(name, ', ') FILTER (WHERE kind <> 'S'),
           string_agg(name, ', ') FILTER (WHERE kind <> 'S' AND acl IS NOT NULL),
           string_agg(name, ', ') FILTER (WHERE kind = 'S')
      INTO tables, granted, sequences
      FROM (
        SELECT format('%I.%I', commune, c.relname) AS name, c.relkind AS kind, c.relacl AS acl
          FROM pg_depend d JOIN pg_class c ON c.oid = d.objid
         WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = commune::regnamespace
           AND d.classid = 'pg_class'::regclass AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
      ) AS found;
    IF granted IS NOT NULL THEN
        EXECUTE format('REVOKE ALL ON %s FROM %I, {WEB}', granted, commune);
    END IF;
    EXECUTE format(
        'GRANT USAGE ON SCHEMA %1$I TO %1$I, {WEB};'
        'GRANT SELECT, INSERT, UPDATE, DELETE ON %2$s TO %1$I, {WEB};'
        'GRANT USAGE ON SEQUENCE %3$s TO %1$I, {WEB};'
        'REVOKE UPDATE, DELETE ON %1$I.journal_entry, %1$I.journal_seal FROM %1$I, {WEB};'
        'REVOKE INSERT, UPDATE, DELETE ON %1$I.django_migrations FROM %1$I, {WEB}',
        commune, tables, sequences
    );
END
$body$;
"""

# The one clock of what the database decides by itself: the tests' databases live on another day by
# replacing it, which the owner alone may do.
_FUNCTIONS: Final = f"""
CREATE OR REPLACE FUNCTION public.socle_now() RETURNS timestamptz
LANGUAGE sql STABLE SET search_path = pg_catalog AS $body$ SELECT now() $body$;
CREATE OR REPLACE FUNCTION public.socle_organisation(commune name) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $body$
    SELECT organisation_id FROM public.tenants_tenant WHERE schema_name = commune
$body$;
{_FENCE}
CREATE OR REPLACE FUNCTION public.socle_provision(siren text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $body$
DECLARE
    commune text := 't_' || $1;
    script text;
    applied jsonb;
BEGIN
    SELECT b.ddl, b.migrations INTO script, applied
      FROM public.tenants_tenant t
      JOIN public.directory_organisation o ON o.id = t.organisation_id AND o.siren = $1
      JOIN public.tenants_blueprint b ON b.fingerprint = t.blueprint
     WHERE t.schema_name = commune;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no organisation with the SIREN % waits for its schema', $1;
    END IF;
    EXECUTE format('CREATE SCHEMA %I', commune);
    PERFORM set_config('search_path', format('%I, public', commune), true);
    EXECUTE script;
    INSERT INTO django_migrations (app, name, applied)
    SELECT one ->> 0, one ->> 1, now()
      FROM jsonb_array_elements(applied) WITH ORDINALITY AS list (one, place) ORDER BY place;
    PERFORM public.socle_fence(commune);
END
$body$;
CREATE OR REPLACE FUNCTION public.socle_destroy(siren text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $body$
DECLARE
    commune text := 't_' || $1;
BEGIN
    IF commune !~ '^t_[a-z0-9_]+$' OR NOT EXISTS (
        SELECT FROM public.life_space s
          JOIN public.directory_organisation o ON o.id = s.organisation_id AND o.siren = $1
          JOIN public.life_destruction d ON d.space_id = s.id
         WHERE s.schema = commune AND s.state = 'condemned' AND d.state = 'running'
           AND d.asked_by_id <> d.confirmed_by_id AND d.not_before <= public.socle_now()
    ) THEN
        RAISE EXCEPTION 'the space of the SIREN % is not to be destroyed', $1;
    END IF;
    EXECUTE format('DROP SCHEMA IF EXISTS %I CASCADE', commune);
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = commune) THEN
        BEGIN
            EXECUTE format('DROP ROLE %I', commune);
        EXCEPTION WHEN dependent_objects_still_exist THEN
            RETURN false;  -- another database of this server has it: empty hands, but a name
        END;
    END IF;
    RETURN true;
END
$body$;
REVOKE EXECUTE ON FUNCTION public.socle_fence(text) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION public.socle_destroy(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.socle_destroy(text) TO {WEB};
REVOKE EXECUTE ON FUNCTION public.socle_provision(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.socle_provision(text) TO {WEB};
"""

_GRANTS: Final = f"""
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, {COMMUNE}, {WEB};
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC, {COMMUNE}, {WEB};
GRANT USAGE ON SCHEMA public TO {WEB}, {COMMUNE};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {WEB};
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {WEB};
REVOKE INSERT, UPDATE, DELETE ON {", ".join(_FROZEN_FOR_WEB)} FROM {WEB};
REVOKE UPDATE, DELETE ON {", ".join(_APPEND_ONLY)} FROM {WEB};
"""

# A commune's pages read people with all their columns: what it finds first on its path is this
# view, where the columns nobody needs are empty, and which holds the people of the body and of the
# syndicat only.
_PEOPLE: Final = f"""
DROP VIEW IF EXISTS {COMMUNE_SCHEMA}.accounts_person;
CREATE VIEW {COMMUNE_SCHEMA}.accounts_person WITH (security_barrier) AS
SELECT id, ''::varchar(128) AS password, NULL::timestamptz AS last_login, email, first_name,
       last_name, function, phone, is_active, created_at
  FROM public.accounts_person
 WHERE id IN (
    SELECT g.person_id FROM public.directory_grant g
      JOIN public.directory_organisation o ON o.id = g.organisation_id
     WHERE o.id = {OWN_HERE} OR o.kind = 'syndicat'
 );
GRANT USAGE ON SCHEMA {COMMUNE_SCHEMA} TO {COMMUNE};
GRANT SELECT ON {COMMUNE_SCHEMA}.accounts_person TO {COMMUNE};
"""
