"""`python -m socle.stack demo`, `run -- COMMAND` and `erase DIRECTORY…`."""

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from socle.core.refusals import Refusal
from socle.stack import ports
from socle.stack.demo import DEFAULT_PORT, Demo, StillRunning, state_directory
from socle.stack.supervisor import Progress, Stopped, write_line


def main(words: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; returns the exit code."""
    asked = _parser().parse_args(words)
    try:
        code: int = asked.do(asked)
        return code
    except Refusal as refusal:
        write_line(sys.stderr, f"\n{refusal}")
        return 1
    except Stopped:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m socle.stack", description="Socle sur une seule machine."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMANDE")
    demo = commands.add_parser("demo", help="lance la démonstration")
    demo.add_argument("--port", type=int, default=DEFAULT_PORT, help="port du serveur web")
    demo.add_argument("--reset", action="store_true", help="efface d'abord toutes les données")
    demo.set_defaults(do=demonstrate)
    run = commands.add_parser("run", help="exécute une commande sur la démonstration")
    run.add_argument("command", nargs="+", metavar="-- COMMANDE", help="la commande et ses mots")
    run.set_defaults(do=run_command)
    erase = commands.add_parser("erase", help="efface les données de dossiers d'état arrêtés")
    erase.add_argument("directories", nargs="+", type=Path, metavar="DOSSIER")
    erase.set_defaults(do=erase_data)
    return parser


def demonstrate(asked: argparse.Namespace) -> int:
    """Start the demo and look after it until Ctrl-C."""
    demo = Demo(state_directory(), port=asked.port)
    say = Progress(sys.stdout)
    if asked.reset:
        demo.erase()
        say("données de la démonstration effacées")
    try:
        with demo.running(say) as supervisor:
            _welcome(demo)
            supervisor.watch()
            write_line(sys.stdout, "\nArrêt…")
    except StillRunning:
        _show_the_first(demo)
    return 0


def _welcome(demo: Demo) -> None:
    write_line(sys.stdout, f"\nSocle est prêt : {demo.url}\n")
    demo.print_logins()
    write_line(sys.stdout, "\nCtrl-C arrête tout ; les données restent pour la prochaine fois.\n")


def _show_the_first(demo: Demo) -> None:
    if not demo.attach():
        write_line(sys.stdout, "La démonstration démarre, ou s'arrête, dans une autre fenêtre.")
        return
    write_line(sys.stdout, f"La démonstration est déjà en marche : {demo.url}\n")
    demo.print_logins()


def run_command(asked: argparse.Namespace) -> int:
    """Run the command on the running demo, or on one started for it alone."""
    demo = Demo(state_directory())
    demo.port = demo.port if ports.is_free(demo.port) else ports.free_port()
    try:
        with demo.running(Progress(sys.stderr)):
            return _attend(asked.command, demo.environment())
    except StillRunning:
        if not demo.attach():
            raise
        return _attend(asked.command, demo.environment())


def _attend(command: Sequence[str], env: dict[str, str]) -> int:
    """Run `command` in the foreground, and wait for its end whatever it makes of Ctrl-C."""
    try:
        process = subprocess.Popen(command, env=env)  # noqa: S603  # the user's own command
    except (FileNotFoundError, PermissionError):  # a folder of PATH that is not ours to read
        raise Refusal(f"La commande « {command[0]} » n'existe pas sur cette machine.") from None
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    return process.wait()


def erase_data(asked: argparse.Namespace) -> int:
    """Delete what the given state directories hold, wherever it was put."""
    for directory in filter(Path.is_dir, asked.directories):
        Demo(directory).erase()
    return 0


if __name__ == "__main__":
    os.umask(0o077)
    sys.exit(main())
