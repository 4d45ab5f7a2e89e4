"""The Celery application. A message only says "wake up": what is due stands in PostgreSQL."""

import contextlib
import os
import sys
from typing import Any

from celery import Celery, Task

from socle.core.messages import CELL

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "socle.config.settings")


class CellTask(Task):  # type: ignore[misc]  # Celery has no types
    """A task that works on the server its message names; on this process's own without a name."""

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.request.called_directly:  # no message: the caller is where it wants to be
            return super().__call__(*args, **kwargs)
        from socle.core import cells  # Django is not ready when this module is loaded

        cell = (self.request.headers or {}).get(CELL)
        with cells.inside(cell) if cell else contextlib.nullcontext():
            return self.run(*args, **kwargs)  # Celery's own call would hide the message: no retry


app = Celery("socle", task_cls=CellTask)
# Celery's Django fixup has just put the working directory first on sys.path, in every process
# that loads this module. Our packages are installed: where we are started from must not decide
# which code runs.
with contextlib.suppress(ValueError):
    sys.path.remove(os.getcwd())
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
