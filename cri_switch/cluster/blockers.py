"""What may hold the next nodes back though the cluster is well: pods that must not be disturbed, Prometheus' alerts."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import httpx

from cri_switch.cluster.client import Cluster
from cri_switch.cluster.pods import title
from cri_switch.cluster.wait import Pace, until
from cri_switch.model.errors import GateClosed, RemoteTimeout
from cri_switch.model.migration import Prometheus

_SECONDS = 10.0


def wait_unblocked(
    cluster: Cluster,
    nodes: Iterable[str],
    *,
    selectors: Iterable[str],
    prometheus: Prometheus | None,
    seconds: float,
    say: Callable[[str], None] = lambda _line: None,
    stop: Callable[[], bool] = lambda: False,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Wait until nothing blocks `nodes`; `say` gets each change of what does.

    Raises:
        GateClosed: something still blocks after `seconds`.
        Stopped, ApiError
    """
    polled, names, last = cluster.impatient(), set(nodes), ""

    def look() -> str:
        nonlocal last
        lines = [line for selector in selectors for line in blocking_pods(polled.list("Pod", labels=selector), names)]
        lines += alerts(prometheus) if prometheus else []
        found = "; ".join(sorted(set(lines)))
        if found and found != last:
            say(f"waits: {found}")
        last = found
        return found

    try:
        until(look, "nothing that blocks the next nodes", seconds, Pace(stop, sleep, clock, every=5.0, first=5.0))
    except RemoteTimeout as problem:
        raise GateClosed(
            problem.what,
            state=f"not started: {', '.join(sorted(names))}",
            next_step="see to what is named and run the same command again: it goes on here",
        ) from problem


def blocking_pods(pods: Iterable[Mapping[str, Any]], nodes: Iterable[str]) -> list[str]:
    """One line for each pod of the list that lives on one of the nodes: pure. Finished pods do not count."""
    wanted = set(nodes)
    return [
        f"pod {title(dict(pod))} on {pod['spec']['nodeName']}"
        for pod in pods
        if pod["spec"].get("nodeName") in wanted and pod["status"].get("phase") not in ("Succeeded", "Failed")
    ]


def alerts(prometheus: Prometheus) -> list[str]:
    """What blocks by Prometheus: its alerts, or that it does not answer. What cannot be asked is not well."""
    url = f"{prometheus.url.rstrip('/')}/api/v1/alerts"
    try:
        answer = httpx.get(url, timeout=_SECONDS)
        answer.raise_for_status()
        body = answer.json()
        return active_alerts(body, prometheus)
    except (httpx.HTTPError, httpx.InvalidURL) as problem:
        return [f"Prometheus cannot be asked ({type(problem).__name__}: {problem})"]
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        return [f"{url} does not answer as Prometheus does ({problem!r})"]


def active_alerts(body: Mapping[str, Any], prometheus: Prometheus) -> list[str]:
    """The alerts of an answer that block: pure. Raises ValueError, KeyError where it is no such answer."""
    if body["status"] != "success":
        raise ValueError(f"status {body['status']}")
    ignored = re.compile(prometheus.alert_filter_regexp) if prometheus.alert_filter_regexp else None
    found = []
    for alert in body["data"]["alerts"]:
        name, state = str(alert["labels"]["alertname"]), str(alert["state"])
        if state == "inactive" or (prometheus.firing_only and state != "firing"):
            continue
        if ignored is None or not ignored.search(name):
            found.append(f"alert {name} is {state}")
    return found
