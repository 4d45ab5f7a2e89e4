"""A server of HTTPS that asks for a client certificate: what the doubles of operators stand on."""

import ssl
import tempfile
from contextlib import suppress
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.s2low.pki import Pair


class MutualServer(ThreadingHTTPServer):
    """Shows `pair`, takes the certificates of `client_ca` only."""

    daemon_threads = True

    def __init__(self, handler: Any, pair: Pair, client_ca: str, newest: ssl.TLSVersion) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.maximum_version = newest
        with tempfile.NamedTemporaryFile() as both:
            Path(both.name).write_bytes(pair.certificate + pair.key)
            self._tls.load_cert_chain(both.name)
        self._tls.load_verify_locations(cadata=client_ca)
        self._tls.verify_mode = ssl.CERT_REQUIRED

    def finish_request(self, request: Any, client_address: Any) -> None:
        request.settimeout(10)
        with suppress(OSError):
            secured = self._tls.wrap_socket(request, server_side=True)
            try:
                super().finish_request(secured, client_address)
            finally:
                with suppress(OSError, ValueError):
                    secured.unwrap()
                secured.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A conversation that broke off is what the tests ask for."""
