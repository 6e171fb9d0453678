"""Whether the API server serves."""

from __future__ import annotations

import time
from collections.abc import Callable

from cri_switch.cluster.client import Cluster
from cri_switch.cluster.wait import Pace, until


def wait_api(
    cluster: Cluster,
    *,
    seconds: float,
    say: Callable[[str], None] = lambda _line: None,
    stop: Callable[[], bool] = lambda: False,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> float:
    """Ask /readyz until it answers 200; how many seconds it took.

    Refused connections, 403 and 500 are a server that starts: not yet. `say` gets each change of its answer.
    Raises RemoteTimeout, Stopped.
    """
    last = ""

    def look() -> str:
        nonlocal last
        status, text = cluster.raw_get("/readyz")
        answer = "" if status == 200 else f"/readyz answers {status}: {' '.join(text.split())[:200]}"
        if answer != last:
            say(answer or "/readyz answers 200")
        last = answer
        return answer

    return until(
        look,
        "the API server to be ready",
        seconds,
        Pace(stop, sleep, clock, every=0.5),
        next_step="on the control-plane node: crictl ps -a; journalctl -u kubelet",
    )
