"""Snapshot and restore: a cluster's disks as they were, and the cluster running again from them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.lab import check, disks, machine
from tests.lab.access import kubectl
from tests.lab.process import wait_for
from tests.lab.report import LabError, step
from tests.lab.state import Lab, MachineState
from tests.lab.workloads import NAMESPACE, missing

_FOLDER, _HALF, _OLD = "snapshot", ".snapshot", ".old"
_NAMESPACES = ("kube-system", NAMESPACE)


def snapshot(lab: Lab) -> None:
    """Keep what is on the machines' disks now, in place of an older snapshot.

    The machines stand still meanwhile, all of them together, and then go on: what is kept is what a power cut would
    leave at that moment.
    """
    with ExitStack() as stack, ThreadPoolExecutor(max_workers=16) as pool:
        for each in lab.machines.values():
            disks.remove(_beside(each, _HALF))
        with step("snapshot"):
            for each in lab.machines.values():
                stack.enter_context(_frozen(each))
            list(pool.map(lambda each: disks.clone(each.root, _beside(each, _HALF)), lab.machines.values()))
            stack.close()
        for each in lab.machines.values():
            disks.remove(_beside(each, _FOLDER))
            _beside(each, _HALF).rename(_beside(each, _FOLDER))


def restore(lab: Lab) -> None:
    """Cut the power, put the snapshot's disks back, boot, and wait until all of it serves again."""
    lost = [each.spec.name for each in lab.machines.values() if not _beside(each, _FOLDER).is_dir()]
    if lost:
        raise LabError(f"no snapshot of {', '.join(lost)} (python -m tests.lab snapshot --name {lab.name})")
    with ThreadPoolExecutor(max_workers=16) as pool:
        with step("machines off"):
            list(pool.map(machine.kill, lab.machines.values()))
        with step("disks back"):
            list(pool.map(_put_back, lab.machines.values()))
        started = time.time()
        with step("machines on"):
            list(pool.map(lambda each: machine.boot(lab, each), lab.machines.values()))
    wait_fresh(lab, started)
    with step("old disks removed"):
        _clean(lab)


def wait_fresh(lab: Lab, since: float, seconds: float = 240) -> None:
    """Until every node and every pod was seen in good health after this moment: what the API shows before is old."""
    behind: list[str] = []

    def fresh() -> bool:
        behind[:] = stale(lab, since)
        return not behind

    with step("every node and pod ready anew"):
        try:
            wait_for("every node and pod to be ready anew", fresh, seconds, every=2)
        except LabError as error:
            raise LabError(f"{error}: {', '.join(behind[:8])}") from error


def stale(lab: Lab, since: float) -> list[str]:
    """What has not been seen in good health since then, in words. An API that does not answer is one such thing."""
    nodes = _items(lab, "nodes")
    pods = _items(lab, "pods", "-A")
    if nodes is None or pods is None:
        return ["the API does not answer"]
    pods = [pod for pod in pods if pod["metadata"]["namespace"] in _NAMESPACES]
    found = [node["metadata"]["name"] for node in nodes if not fresh_node(node, since)]
    late = [pod for pod in pods if not fresh_pod(pod, since)]
    check.nudge(lab, [pod for pod in late if _running(pod, since)])
    found += [pod["metadata"]["name"] for pod in late]
    if not found and any(pod["metadata"]["namespace"] == NAMESPACE for pod in pods):
        found = missing(lab)
    return found if nodes and pods else ["nothing is listed"]


def fresh_node(node: dict[str, Any], since: float) -> bool:
    """Ready, by a heartbeat after that moment (the API's times are whole seconds)."""
    ready = next(c for c in node["status"]["conditions"] if c["type"] == "Ready")
    return ready["status"] == "True" and _epoch(ready["lastHeartbeatTime"]) >= int(since)


def fresh_pod(pod: dict[str, Any], since: float) -> bool:
    """Ready, with every container started after that moment; not asked of a Job's pod or one that is being deleted."""
    owners = {owner["kind"] for owner in pod["metadata"].get("ownerReferences", [])}
    if "Job" in owners or "deletionTimestamp" in pod["metadata"]:
        return True
    return check.is_ready(pod) and _running(pod, since)


def _running(pod: dict[str, Any], since: float) -> bool:
    states = [status["state"].get("running") for status in pod["status"].get("containerStatuses", [])]
    return bool(states) and all(state and _epoch(state["startedAt"]) >= int(since) for state in states)


def _items(lab: Lab, *what: str) -> list[dict[str, Any]] | None:
    answer = kubectl(lab, "get", *what, "-o", "json", "--request-timeout=5s", check=False)
    return list(json.loads(answer)["items"]) if answer else None


def _epoch(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _beside(each: MachineState, name: str) -> Path:
    return each.root.with_name(name)


def _put_back(each: MachineState) -> None:
    disks.clone(_beside(each, _FOLDER), _beside(each, _HALF))
    each.root.rename(_beside(each, f"{_OLD}-{time.monotonic_ns()}"))
    _beside(each, _HALF).rename(each.root)


def _clean(lab: Lab) -> None:
    for each in lab.machines.values():
        for old in each.root.parent.glob(f"{_OLD}-*"):
            disks.remove(old)


@contextmanager
def _frozen(each: MachineState) -> Iterator[None]:
    """Stop every process of the machine by its freezer cgroup, and let it go on, whatever happens."""
    if not each.alive:
        yield
        return
    file = next(path for path in each.cgroups if path.parent.name == "freezer") / "freezer.state"
    try:
        file.write_text("FROZEN")
        wait_for(f"{each.spec.name} to stand still", lambda: file.read_text().strip() == "FROZEN", 20, every=0.05)
        yield
    finally:
        file.write_text("THAWED")
