"""The real stack on its own state directory: `python -m tests.e2e.stack STATE PORT`.

It is the demo, except that its data may be lost, that it knows one territory only, and that the
practice préfecture answers within a second. It says "ready", and ends when its input is closed:
whatever happens to the tests, nothing outlives them.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from socle.stack import demo
from socle.stack.postgres import Postgres
from socle.stack.service import Process
from socle.stack.supervisor import Progress, write_line

READY = "ready"
TERRITORY = "200069755"
GATEWAY = "between-the-gateway-and-us"
"""The secret of the gateway, which these tests play; a real one is in tests/accounts."""
REPO = Path(__file__).resolve().parents[2]


class QuickDemo(demo.Demo):
    """The demo, in a hurry."""

    def __init__(self, state_dir: Path, *, port: int) -> None:
        super().__init__(state_dir, port=port)
        self.postgres = Postgres(self.state_dir, durable=False)

    def environment(self) -> dict[str, str]:
        return super().environment() | {"SOCLE_PROXY_SECRET": GATEWAY}

    def _application(self, env: dict[str, str]) -> list[Process]:
        services = super()._application(env)
        exercise = next(service for service in services if service.name == "exercise")
        exercise.command += ("--delay", "1")
        return services


def serve(state_dir: Path, port: int) -> None:
    """Run until standard input is closed."""
    demo.SETUP = (
        ("schéma", ("migrate_all",)),
        ("territoire", ("load_demo", "--territory", TERRITORY)),
    )
    with QuickDemo(state_dir, port=port).running(Progress(sys.stderr)) as supervisor:
        write_line(sys.stdout, READY)

        def wait_for_the_end() -> None:
            sys.stdin.read()
            supervisor.stop_wanted = True

        threading.Thread(target=wait_for_the_end, daemon=True).start()
        supervisor.watch()


@dataclass(frozen=True)
class Stack:
    """A stack that runs: where its state is, and the port of its web server."""

    state_dir: Path
    port: int

    def origin(self, place: str = "") -> str:
        """The address of the portal, or of the commune whose host begins with `place`."""
        return f"http://{place}.localhost:{self.port}" if place else f"http://localhost:{self.port}"

    def manage(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a management command on it, as `make tour` and `make screens` do."""
        return subprocess.run(
            [sys.executable, "-m", "socle.stack", "run", "--", *demo.manage(*words)],
            cwd=REPO,
            env=os.environ | {"SOCLE_STATE": str(self.state_dir)},
            capture_output=True,
            text=True,
            check=False,
        )


@contextmanager
def running(state_dir: Path, port: int) -> Iterator[Stack]:
    """The stack as a process of its own; it ends with the block, or with us."""
    log = state_dir / "log" / "stack.log"
    log.parent.mkdir()
    with log.open("w") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.stack", str(state_dir), str(port)],
            cwd=REPO, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True,
        )  # fmt: skip
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            if process.stdout.readline().strip() != READY:
                raise RuntimeError(f"the stack did not start:\n{log.read_text()}")
            yield Stack(state_dir, port)
        finally:
            process.stdin.close()
            process.wait(timeout=60)


if __name__ == "__main__":
    os.umask(0o077)
    serve(Path(sys.argv[1]), int(sys.argv[2]))
