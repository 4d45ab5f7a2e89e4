"""A broker that takes connections and never says a word, and a Celery that must live with it."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from celery import Celery

from socle.config.environment import BROKER_PATIENCE, Environment
from tests.config.test_environment import GOOD

KINDS = ("redis://:x@{}/0", "amqp://socle:x@{}//")


def _nothing(**message: object) -> None:
    pass


@contextmanager
def silent_broker(kind: str) -> Iterator[Celery]:
    """A Celery set as Socle sets its own, whose broker is a real socket without a server."""
    with socket.create_server(("127.0.0.1", 0), backlog=32) as mute:
        url = kind.format(f"127.0.0.1:{mute.getsockname()[1]}")
        app = Celery("silent", set_as_current=False)
        app.conf.update(
            broker_url=url,
            broker_transport_options=Environment.read(
                GOOD | {"SOCLE_BROKER_URL": url}
            ).broker_options(),
            broker_connection_timeout=BROKER_PATIENCE,
            task_ignore_result=True,
        )
        app.task(name="silence.wake")(_nothing)
        assert app.connection_for_write().transport  # imported now, so that nobody times it
        try:
            yield app
        finally:
            app.close()
