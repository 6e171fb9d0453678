"""Ask a URL ten times a second, with a new connection each time, and record every failure with its time.

    python -m tests.lab.prober --url http://10.96.0.80/ --out FILE [--seconds N]
    python -m tests.lab.prober --url https://10.77.0.2:6443/api/v1/nodes/cp1 --kubeconfig admin.conf --out FILE

FILE gets one JSON line for each failure as it happens, one for each "gap" of more than a second without a good answer,
and one, "summary", at the end: after --seconds, or on SIGTERM or SIGINT. The exit code is 0 whatever was seen: what it
means is the reader's to say.
"""

from __future__ import annotations

import argparse
import http.client
import json
import signal
import ssl
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from tests.support.client_tls import client_tls

_RATE = 10.0
_TIMEOUT = 3.0
_GAP = 1.0
_SAID = 400  # bytes of an answer that are kept where it is an error: etcd's own word is in them


class Prober:
    """Asks on a fixed beat, also while earlier requests still hang, so that an outage is seen in its full length.

    `longest_gap` of its summary: seconds of the longest time in which no good answer came.
    """

    def __init__(
        self,
        url: str,
        out: IO[str],
        rate: float = _RATE,
        timeout: float = _TIMEOUT,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme != ("https" if tls else "http") or not parts.hostname:
            raise ValueError(f"not an http url, or an https one without certificates: {url!r}")
        self._host, self._port, self._path = parts.hostname, parts.port or (443 if tls else 80), parts.path or "/"
        self._tls = tls
        self._url, self._out, self._beat, self._timeout = url, out, 1 / rate, timeout
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._requests = self._failures = 0
        self._slowest = self._longest_gap = 0.0
        self._answered = time.monotonic()
        self._broken: BaseException | None = None

    def stop(self) -> None:
        self._stop.set()

    def run(self, seconds: float | None = None) -> dict[str, Any]:
        """Ask until stopped or for so many seconds; the answer is the summary, which is also written."""
        started, begun = time.monotonic(), _now()
        self._answered = started
        number = 0
        with ThreadPoolExecutor(max_workers=int(self._timeout / self._beat) * 2 + 2) as pool:
            while not self._stop.is_set() and (seconds is None or time.monotonic() - started < seconds):
                pool.submit(self._ask).add_done_callback(self._check)
                number += 1
                self._stop.wait(max(0.0, started + number * self._beat - time.monotonic()))
        if self._broken:
            raise self._broken
        summary = {
            "summary": True,
            "url": self._url,
            "started": begun,
            "ended": _now(),
            "seconds": round(time.monotonic() - started, 3),
            "requests": self._requests,
            "failures": self._failures,
            "slowest": round(self._slowest, 3),
            "longest_gap": round(max(self._longest_gap, time.monotonic() - self._answered), 3),
        }
        self._write(summary)
        return summary

    def _ask(self) -> None:
        asked, started = _now(), time.monotonic()
        error = self._error()
        took = time.monotonic() - started
        with self._lock:
            self._requests += 1
            self._slowest = max(self._slowest, took)
            self._failures += error is not None
            now = time.monotonic()
            gap = now - self._answered if error is None else 0.0
            self._longest_gap = max(self._longest_gap, gap)
            self._answered = now if error is None else self._answered
        if error is not None:
            self._write({"time": asked, "seconds": round(took, 3), "error": error})
        if gap > _GAP:
            self._write({"time": _now(), "gap": round(gap, 3)})

    def _error(self) -> str | None:
        connection = self._connection()
        try:
            connection.request("GET", self._path, headers={"Connection": "close"})
            answer = connection.getresponse()
            said = answer.read()[:_SAID].decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            return f"{type(error).__name__}: {error}"
        finally:
            connection.close()
        return None if answer.status == 200 else f"status {answer.status}: {said}"

    def _connection(self) -> http.client.HTTPConnection:
        if self._tls:
            return http.client.HTTPSConnection(self._host, self._port, timeout=self._timeout, context=self._tls)
        return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)

    def _check(self, done: Future[None]) -> None:
        """An error of the prober's own must not pass for silence."""
        if error := done.exception():
            self._broken = error
            self.stop()

    def _write(self, line: dict[str, Any]) -> None:
        with self._lock:
            self._out.write(json.dumps(line) + "\n")
            self._out.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description="Ask a URL ten times a second and record every failure.")
    parser.add_argument("--url", required=True)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--kubeconfig", type=Path, help="the API's authority and a client's certificate")
    options = parser.parse_args()
    tls = client_tls(options.kubeconfig) if options.kubeconfig else None
    with options.out.open("w") as out:
        prober = Prober(options.url, out, tls=tls)
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, lambda *_: prober.stop())
        print(json.dumps(prober.run(options.seconds)))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


if __name__ == "__main__":
    main()
