"""Running the practice offices from a command line, with or without Django."""

import argparse
import os
import signal
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from socle.core.refusals import Refusal
from socle.exercise.accounts import load_accounts
from socle.exercise.server import ExerciseServer

STATE: Final = "SOCLE_EXERCISE_STATE"
FILES: Final = "SOCLE_FILES_DIR"
_STATE_HELP: Final = (
    f"dossier où l'état est gardé (à défaut ${STATE}, ou « exercise » à côté de ${FILES})"
)


class NoState(Refusal):
    """Nothing says where the state is kept."""

    code = "no-state"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options, the same for `manage.py exercise` and `python -m socle.exercise`."""
    parser.add_argument("--host", default="127.0.0.1", help="adresse d'écoute (127.0.0.1)")
    parser.add_argument("--port", type=int, default=8801, help="port, 0 : un port libre (8801)")
    parser.add_argument("--state", type=Path, help=_STATE_HELP)
    parser.add_argument("--delay", type=float, default=2.0, help="secondes avant la réponse (2)")
    parser.add_argument("--token-file", type=Path, help="fichier de jetons, un par ligne")


def run(
    *,
    host: str,
    port: int,
    state: Path | None,
    delay: float,
    token_file: Path | None,
    say: Callable[[str], object],
) -> None:
    """Serve until SIGINT or SIGTERM; `say` receives one line once the port listens.

    Raises `NoState`, `NoToken`, `StateInUse`, or `OSError` when the port is taken.
    """
    folder = state or default_state(os.environ)
    accounts = load_accounts(os.environ, token_file)
    ending = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ending.set())
    with ExerciseServer(
        state=folder, accounts=accounts, host=host, port=port, delay=delay
    ) as server:
        say(f"EXERCICE : préfecture et trésorerie d'exercice à l'écoute sur {server.url}")
        ending.wait()


def default_state(environment: Mapping[str, str]) -> Path:
    """The state folder the environment gives. Raises `NoState`."""
    if given := environment.get(STATE):
        return Path(given)
    if files := environment.get(FILES):
        return Path(files).absolute().parent / "exercise"
    raise NoState(f"Dites où garder l'état : donnez --state ou renseignez la variable {STATE}.")
