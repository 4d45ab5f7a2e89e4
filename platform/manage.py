"""`python platform/manage.py …`, for those who type it; the installed command is `manage`."""

from socle.cli import main

main()
