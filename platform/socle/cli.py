"""The command line of Socle."""

import os
import sys

from django.core.management import execute_from_command_line


def main() -> None:
    """Run a management command named in `sys.argv` with Socle's settings."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "socle.config.settings")
    execute_from_command_line(sys.argv)
