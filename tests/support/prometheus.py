"""A Prometheus of the tests' own."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Prometheus:
    """One that answers `/api/v1/alerts` as the real one does; `alerts` are (name, state)."""

    def __init__(self) -> None:
        self.alerts: list[tuple[str, str]] = []
        told = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                good = self.path == "/api/v1/alerts"
                self.send_response(200 if good else 404)
                self.end_headers()
                self.wfile.write(told.body() if good else b"")

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def body(self) -> bytes:
        alerts = [{"labels": {"alertname": name}, "annotations": {}, "state": state} for name, state in self.alerts]
        return json.dumps({"status": "success", "data": {"alerts": alerts}}).encode()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def answering() -> Iterator[Prometheus]:
    """One that answers until the block ends."""
    found = Prometheus()
    try:
        yield found
    finally:
        found.close()
