"""The API behind real HTTP on loopback, with watches."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from cri_switch.rehearsal.api_reply import Call, Reply, failure
from cri_switch.rehearsal.api_watch import watch
from cri_switch.rehearsal.http_api import Api


class HttpServer:
    """Serves an Api on a free port of 127.0.0.1 until closed."""

    def __init__(self, api: Api) -> None:
        self._server = _Server(("127.0.0.1", 0), _handler(api))
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="rehearsal-api", daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        """No further connections."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no error."""


def _handler(api: Api) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def _serve(self) -> None:
            url = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            raw = self.rfile.read(length) if length else b""
            query = dict(parse_qsl(url.query))
            try:
                body = json.loads(raw) if raw else None
            except ValueError:
                self._send(failure(400, "BadRequest", "the body is not JSON"))
                return
            call = Call(
                self.command,
                unquote(url.path),
                query,
                body,
                self.headers.get("Content-Type", ""),
                self.headers.get("Authorization", ""),
            )
            reply = api.answer(call)
            if query.get("watch") in ("1", "true") and reply.status == 200 and not reply.lost:
                self._watch(call)
                return
            self._send(reply)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve  # noqa: N815

        def _send(self, reply: Reply) -> None:
            if reply.after:
                time.sleep(reply.after)
            if reply.lost:
                self.close_connection = True
                return
            data = reply.data
            self.send_response(reply.status)
            self.send_header("Content-Type", "application/json" if reply.body is not None else "text/plain")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
            self.wfile.flush()

        def _watch(self, call: Call) -> None:
            """Events as JSON lines."""
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.flush()
            self.close_connection = True
            for event in watch(api, call):
                self.wfile.write(json.dumps(event).encode() + b"\n")
                self.wfile.flush()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Nothing: `Api.calls` has them."""

    return Handler
