"""The prober: it sees failures, and counts what it asked."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.lab.prober import Prober


class _Flaky(BaseHTTPRequestHandler):
    """Every third answer is an error, and says why."""

    answers = 0

    def do_GET(self) -> None:
        type(self).answers += 1
        self.send_response(503 if self.answers % 3 == 0 else 200)
        self.end_headers()
        self.wfile.write(b"why")

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Flaky)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def test_failures_are_recorded_with_their_time(url: str) -> None:
    out = io.StringIO()
    summary = Prober(url, out, rate=50).run(seconds=0.5)
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert lines[-1] == summary
    assert summary["failures"] == len(lines) - 1 > 0
    assert all(line["error"] == "status 503: why" and line["time"] for line in lines[:-1])
    assert summary["requests"] > summary["failures"]
    assert summary["longest_gap"] < summary["seconds"]


def test_nobody_there(unused: int = 9) -> None:
    out = io.StringIO()
    summary = Prober(f"http://127.0.0.1:{unused}/", out, rate=50).run(seconds=0.1)
    assert summary["failures"] == summary["requests"] > 0
    assert "ConnectionRefusedError" in out.getvalue()
    assert summary["longest_gap"] >= summary["seconds"] - 0.01, "no answer at all is one gap"


def test_a_gap_is_recorded_when_it_ends(url: str) -> None:
    out = io.StringIO()
    prober = Prober(url, out, rate=50)
    prober._answered = time.monotonic() - 5
    prober._ask()
    prober._ask()
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line["gap"] >= 5 for line in lines if "gap" in line] == [True]


def test_stop_ends_it(url: str) -> None:
    prober = Prober(url, io.StringIO(), rate=50)
    threading.Timer(0.1, prober.stop).start()
    assert prober.run()["seconds"] < 5


def test_only_http() -> None:
    with pytest.raises(ValueError, match="not an http url"):
        Prober("https://example/", io.StringIO())
