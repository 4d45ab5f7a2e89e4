"""Django settings of Socle, derived from the typed environment (`environment.py`)."""

import os
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF
from kombu import Queue

from socle.config.environment import BROKER_PATIENCE, Environment
from socle.config.reporting import start_reporting
from socle.core.messages import message_to, queue_of

ENVIRONMENT = Environment.read(os.environ)
REPOSITORY = Path(__file__).resolve().parents[3]

SECRET_KEY = ENVIRONMENT.secret_key
MASTER_KEY = ENVIRONMENT.master_key
MASTER_KEY_PREVIOUS = ENVIRONMENT.master_key_previous
DEBUG = False
DEMO = ENVIRONMENT.demo
BASE_HOST = ENVIRONMENT.base_host
BASE_PORT = ENVIRONMENT.port
BASE_SCHEME = "https" if ENVIRONMENT.https else "http"
EXERCISE_URL = ENVIRONMENT.exercise_url
EXERCISE_TOKEN = ENVIRONMENT.exercise_token
PROXY_SECRET = ENVIRONMENT.proxy_secret
PROXIES = ENVIRONMENT.proxies  # trusted ones, each adding an address to X-Forwarded-For
ANTIVIRUS = ENVIRONMENT.clamd()  # where clamd listens, or None
DELIVERY_LEASE = ENVIRONMENT.delivery_lease  # seconds a worker owns a file it is sending
HELP_MAIL, HELP_PHONE = ENVIRONMENT.help_mail, ENVIRONMENT.help_phone
HELP_HOURS = ENVIRONMENT.help_hours
SOCLE_VERSION = "0.1.0"
ALLOWED_HOSTS = [BASE_HOST, f".{BASE_HOST}", "127.0.0.1"]

# Rooms whose tables live once, in the public schema.
SHARED_APPS = [
    "django_tenants",
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_otp",
    "csp",
    "socle.web",
    "socle.journal",
    "socle.accounts",
    "socle.directory",
    "socle.documents",
    "socle.documents.keys",
    "socle.delivery",
    "socle.notices",
    "socle.exercise",
    "socle.s2low",
    "socle.direct",
    "socle.actes.explanations",
    "training",
    "registration_authority",
    "billing",
    "tenants",
    "tenants.onboarding",
    "tenants.life",
    "tenants.opendata",
    "tenants.api",
]
# Rooms whose tables live in each commune's schema. The journal and the files are in both: what is
# the syndicat's stays with the syndicat, what is the commune's leaves with the commune.
TENANT_APPS = ["socle.journal", "socle.documents", "socle.actes", "socle.helios"]
INSTALLED_APPS = SHARED_APPS + [app for app in TENANT_APPS if app not in SHARED_APPS]

OUR_ROOMS = ("tenants", "registration_authority", "training", "billing")  # beside platform/

TENANT_MODEL = "tenants.Tenant"
TENANT_DOMAIN_MODEL = "tenants.Domain"
TENANT_LIMIT_SET_CALLS = True
TENANT_COLOR_ADMIN_APPS = False
PUBLIC_SCHEMA_NAME = "public"
PUBLIC_SCHEMA_URLCONF = "socle.config.urls_public"
ROOT_URLCONF = "socle.config.urls_commune"
DATABASE_ROUTERS = ("django_tenants.routers.TenantSyncRouter",)
CELLS = tuple(ENVIRONMENT.databases())  # the servers of PostgreSQL, the main one first
PLACEMENT = ENVIRONMENT.places()
REPLICA_LAG = ENVIRONMENT.replica_lag  # seconds an export may be behind what was written


def _session(cell: str, parts: dict[str, Any]) -> dict[str, Any]:
    # With several servers, one that does not answer must not hold the others' communes up.
    impatient = {"connect_timeout": 3, "tcp_user_timeout": 20_000} if len(CELLS) > 1 else {}
    return {
        "ENGINE": "socle.core.postgres",
        **parts,
        "OPTIONS": {**impatient, **parts["OPTIONS"]},
        "CELL": cell,
        # A backend keeps about a megabyte for each commune it has visited: connections are
        # recycled before that adds up, and kept long enough to be worth opening.
        "CONN_MAX_AGE": 300,
        "CONN_HEALTH_CHECKS": True,
        **ENVIRONMENT.pooling_settings(),
    }


# "default" is the cell this process begins in; `socle.core.cells` leads a thread to another one.
_OF_CELLS = {cell: _session(cell, parts) for cell, parts in ENVIRONMENT.databases().items()}
DATABASES = {
    "default": _OF_CELLS[ENVIRONMENT.cell],
    **(_OF_CELLS if len(CELLS) > 1 else {}),
    **{
        f"{cell}_replica": _session(cell, parts) | {"REPLICA": True}
        for cell, parts in ENVIRONMENT.replicas().items()
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

MIDDLEWARE = [
    # First, so that every answer carries them: a refused host, a file, an incident.
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "socle.config.health.Probes",
    "tenants.middleware.Routing",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "socle.accounts.middleware.OpenLogins",
    "django.contrib.messages.middleware.MessageMiddleware",
    "tenants.middleware.Standing",
    "tenants.life.middleware.OpenSpaces",
    "tenants.middleware.Fence",
]

AUTH_USER_MODEL = "accounts.Person"
AUTHENTICATION_BACKENDS = ["socle.accounts.backends.ByEmail"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "accounts:login"
LOGIN_REDIRECT_URL = "home"
OTP_TOTP_ISSUER = "Socle"

# Cookies stay on their host: a commune's page can never read the portal's session. The switcher
# carries a person from host to host with a single-use ticket instead (socle.accounts.tickets).
SESSION_COOKIE_NAME = "socle_session"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = ENVIRONMENT.https
CSRF_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = False  # the ingress redirects; probes come in clear from inside
SECURE_HSTS_SECONDS = 31_536_000 if ENVIRONMENT.https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = True  # every host below the portal's is a commune's
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ENVIRONMENT.https else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        # The switcher posts on one host and is redirected to another of ours.
        "form-action": [SELF, f"{BASE_SCHEME}://*.{BASE_HOST}:*", f"{BASE_SCHEME}://{BASE_HOST}:*"],
    }
}

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "builtins": ["socle.web.templatetags.socle"],
        },
    }
]
FORM_RENDERER = "socle.web.forms.Renderer"

LANGUAGE_CODE = "fr"
LANGUAGES = [("fr", "Français")]
TIME_ZONE = "Europe/Paris"
USE_TZ = True
USE_I18N = True
USE_THOUSAND_SEPARATOR = True

STATIC_URL = "/static/"
# Served straight from the packages: nothing to collect, nothing to forget.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
WHITENOISE_MAX_AGE = 600

VAULT: dict[str, Any] = (
    {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": ENVIRONMENT.s3_bucket,
            "endpoint_url": ENVIRONMENT.s3_endpoint or None,
            "file_overwrite": True,
            "default_acl": None,
        },
    }
    if ENVIRONMENT.s3_bucket
    else {
        "BACKEND": "socle.documents.storage.AtomicFileSystemStorage",
        "OPTIONS": {"location": str(ENVIRONMENT.files_dir)},
    }
)
STORAGES = {
    "default": VAULT,
    "vault": VAULT,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
DATA_UPLOAD_MAX_NUMBER_FILES = 60
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]

DEFAULT_FROM_EMAIL = ENVIRONMENT.mail_from
EMAIL_TIMEOUT = 10
if MAIL := ENVIRONMENT.mail():
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST, EMAIL_PORT = MAIL.host, MAIL.port
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = MAIL.user, MAIL.password
    EMAIL_USE_TLS, EMAIL_USE_SSL = MAIL.starttls, MAIL.tls
else:  # the demonstration writes its mails where a curious person can read them
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = str((ENVIRONMENT.files_dir or REPOSITORY / ".demo").parent / "mails")

# One queue for each cell: any worker takes all of them, unless it is told which (`--queues`).
CELERY_TASK_QUEUES = [Queue(queue_of(cell)) for cell in CELLS]
CELERY_TASK_DEFAULT_QUEUE = queue_of(CELLS[0])
CELERY_BROKER_URL = ENVIRONMENT.broker_url
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TIMEZONE = TIME_ZONE
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_TIMEOUT = BROKER_PATIENCE
CELERY_BROKER_TRANSPORT_OPTIONS = ENVIRONMENT.broker_options()
SWEEPS = {
    "delivery-send": {"task": "delivery.send_due", "schedule": 60.0 if not DEMO else 5.0},
    "delivery-collect": {"task": "delivery.collect", "schedule": 60.0 if not DEMO else 3.0},
    "onboarding-refresh": {"task": "onboarding.refresh_cases", "schedule": 300.0},
    "s2low-papers": {"task": "s2low.fetch_papers", "schedule": 300.0},
    "actes-letters": {"task": "actes.remind_letters", "schedule": 3600.0},
    "actes-bundles": {"task": "actes.sweep_bundles", "schedule": 600.0},
    "ra-sweep": {"task": "ra.sweep", "schedule": 60.0},
    "ra-renewals": {"task": "ra.remind_renewals", "schedule": 6 * 3600.0},
    "ra-lists": {"task": "ra.watch_lists", "schedule": 3600.0},
    "ra-clocks": {"task": "ra.clocks", "schedule": 6 * 3600.0},
    "ra-revocations": {"task": "ra.watch_revocations", "schedule": 600.0},
    "ra-certificates": {"task": "ra.watch_certificates", "schedule": 3600.0},
    "ra-purge": {"task": "ra.purge", "schedule": 24 * 3600.0},
    "notices-mail": {"task": "notices.send_mail", "schedule": 60.0},
    "life-sweep": {"task": "life.sweep", "schedule": 60.0 if not DEMO else 5.0},
    "open-data": {"task": "opendata.publish", "schedule": 24 * 3600.0 if not DEMO else 60.0},
    "journal-verify": {"task": "tenants.verify_journals", "schedule": 24 * 3600.0},
    "journal-seal": {"task": "tenants.seal_journals", "schedule": 3600.0 if not DEMO else 120.0},
}
# Every cell is swept by a message of its own: a server that is down holds up no other.
CELERY_BEAT_SCHEDULE = {
    f"{name}@{cell}": {**sweep, "options": message_to(cell)}
    for cell in CELLS
    for name, sweep in SWEEPS.items()
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {"pikepdf": {"level": "WARNING"}, "fontTools": {"level": "WARNING"}},
}

start_reporting(ENVIRONMENT)
