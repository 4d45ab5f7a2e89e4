"""`python -m socle.exercise --port 8801 --state DIR --token-file FILE`, without Django."""

import argparse
import sys

from socle.core.refusals import Refusal
from socle.exercise import cli


def main() -> int:
    """Parse the command line, serve, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m socle.exercise", description=cli.__doc__)
    cli.add_arguments(parser)
    options = parser.parse_args()
    try:
        cli.run(**vars(options), say=_say)
    except (Refusal, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
