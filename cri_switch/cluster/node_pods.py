"""A node's own pods, DaemonSets' and static ones, run on the new runtime."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from typing import Any

from cri_switch.cluster import pods
from cri_switch.cluster.client import Cluster, Obj
from cri_switch.cluster.wait import Pace, until
from cri_switch.cluster.workloads import OwnPod, own_pod
from cri_switch.model.node_ref import NodeRef


def wait_node_pods(
    cluster: Cluster,
    node: NodeRef,
    *,
    runtime: str,
    expected: Sequence[dict[str, Any]],
    seconds: float,
    alive: Callable[[], Collection[str]] | None = None,
    stop: Callable[[], bool] = lambda: False,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> str:
    """Wait until every expected pod (`own_pods` of `controllers_on` before the switch) is there and runs.

    `alive` asks the node for the ids of its running containers: where the runtime is the one of before, the API keeps
    calling those running that were removed meanwhile.

    Raises RemoteTimeout that names the pods and what each lacks, Stopped, ApiError.
    """
    wanted = [OwnPod.model_validate(each) for each in expected]
    judged = [each for each in wanted if each.ready]
    polled, gone = cluster.impatient(), set[OwnPod]()

    def look() -> str:
        found = polled.list("Pod", fields=f"spec.nodeName={node.name}")
        here = alive() if alive else None
        lacks = missing([each for each in judged if each not in gone], found, runtime, here)
        for each in [each for each in lacks if each.kind == "DaemonSet"]:
            if polled.get("DaemonSet", each.name, each.namespace) is None:
                gone.add(each)  # an administrator's deletion since the switch
                del lacks[each]
        return "; ".join(f"{each}: {text}" for each, text in lacks.items())

    until(
        look,
        f"{node.name}: its own pods on {runtime}",
        seconds,
        Pace(stop, sleep, clock),
        next_step=f"kubectl get pods -A -o wide --field-selector spec.nodeName={node.name}",
    )
    text = f"{len(judged) - len(gone)} own pods run on {runtime}"
    if unjudged := [str(each) for each in wanted if not each.ready]:
        text += f", not judged because not ready before: {', '.join(unjudged)}"
    return text


def missing(
    expected: Sequence[OwnPod], found: Sequence[Obj], runtime: str, alive: Collection[str] | None = None
) -> dict[OwnPod, str]:
    """What each expected pod lacks: pure."""
    there: dict[tuple[str, str, str], list[Obj]] = {}
    for pod in found:
        mine = own_pod(pod)
        if mine and not pods.is_finished(pod) and not pod["metadata"].get("deletionTimestamp"):
            there.setdefault((mine.namespace, mine.kind, mine.name), []).append(pod)
    lacks = {}
    for each in expected:
        texts = [lack(pod, runtime, alive) for pod in there.get((each.namespace, each.kind, each.name), [])]
        if not texts or all(texts):
            lacks[each] = texts[0] if texts else "no pod"
    return lacks


def lack(pod: Obj, runtime: str, alive: Collection[str] | None = None) -> str:
    """What a pod lacks to run on `runtime`; empty when nothing does. `alive`: ids of containers, None where not known.

    A mirror pod's condition Ready comes more than a minute late (peers.md 63): it is judged by its containers only.
    """
    statuses = list(pods.container_statuses(pod))
    if len(statuses) < len(pod["spec"]["containers"]):
        return f"{len(statuses)} of {len(pod['spec']['containers'])} containers reported"
    for status in statuses:
        name, container_id, state = status["name"], status.get("containerID") or "", status.get("state") or {}
        if "running" not in state:
            waiting = state.get("waiting") or state.get("terminated") or {}
            return f"container {name} does not run ({waiting.get('reason', 'unknown')})"
        if not container_id.startswith(f"{runtime}://"):
            return f"container {name} is {container_id.partition('://')[0] or 'without an id'}, not {runtime}"
        if alive is not None and container_id.partition("://")[2] not in alive:
            return f"container {name} is not started again yet"
    return "" if pods.is_mirror(pod) or pods.is_ready(pod) else "not Ready"
