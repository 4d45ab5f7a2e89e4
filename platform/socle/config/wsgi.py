"""WSGI entry point. Threads, never ASGI: a commune's schema is bound to its thread's connection."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "socle.config.settings")
application = get_wsgi_application()
