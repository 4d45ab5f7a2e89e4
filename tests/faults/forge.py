"""A process with Django ready that forks others: real ones, started at once, killed for good.

Reads orders on its input, one JSON object a line: {"code": …} forks a child that executes it in the
database that is named, and answers the child's number; {"wait": number} answers its exit code.
"""

import json
import os
import sys
import traceback
from typing import Any


def main() -> None:
    """Serve orders until the input ends."""
    import django

    django.setup()
    from django.core.management import load_command_class

    load_command_class("tenants", "migrate_tenants")
    for line in sys.stdin:
        order = json.loads(line)
        if "wait" in order:
            _, status = os.waitpid(order["wait"], 0)
            answer = os.waitstatus_to_exitcode(status)
        else:
            answer = os.fork() or _become(order)
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


def _become(order: dict[str, Any]) -> int:
    """The child's whole life; never comes back."""
    code = 1
    try:
        _prepare(order)
        exec(order["code"], {"__name__": "__forged__"})  # noqa: S102 -- a test's own code
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:  # noqa: BLE001 -- told in the log, which the test reads
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _prepare(order: dict[str, Any]) -> None:
    from django.conf import settings
    from django.db import connections

    out = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.environ.update(order.get("environment", {}))
    settings.MIGRATION_MODULES = order.get("modules", {})
    for place in (settings.DATABASES["default"], connections["default"].settings_dict):
        place.update({"NAME": order["database"], "USER": order["user"]})


if __name__ == "__main__":
    main()
