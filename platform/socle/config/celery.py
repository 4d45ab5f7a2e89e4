"""The Celery application. A message only says "wake up": what is due stands in PostgreSQL."""

import contextlib
import os
import sys

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "socle.config.settings")
app = Celery("socle")
# Celery's Django fixup has just put the working directory first on sys.path, in every process
# that loads this module. Our packages are installed: where we are started from must not decide
# which code runs.
with contextlib.suppress(ValueError):
    sys.path.remove(os.getcwd())
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
