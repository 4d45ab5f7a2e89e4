"""`make chaos`: kill -9 everywhere while communes deposit, then count (see docs/performance.md).

Exit code 0 when nothing is lost, doubled, stuck out of sight, nor false.
"""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from socle.stack.supervisor import Stopped
from tests.chaos.run import Order, Run


def main() -> int:
    """Run what the command line asks for; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--deposits", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--poisoned", type=int)
    parser.add_argument("--seed", type=int, default=20261201)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--state", type=Path, help="dossier gardé ; à défaut, effacé à la fin")
    asked = vars(parser.parse_args())
    if asked["poisoned"] is None:
        asked["poisoned"] = asked["deposits"] // 5
    kept = asked.pop("state")
    state = (kept or Path(tempfile.mkdtemp(prefix="socle-chaos-"))).resolve()
    state.mkdir(exist_ok=True)
    if any(state.iterdir()):
        parser.error(f"{state} n'est pas vide")
    state.chmod(0o711)  # PostgreSQL runs as somebody else when we are root
    run = Run(Order(**asked), state)
    try:
        return run.whole()
    except Stopped:
        return 130
    finally:
        if kept is None:
            run.arena.erase()
            shutil.rmtree(state, ignore_errors=True)


if __name__ == "__main__":
    os.umask(0o077)
    sys.exit(main())
