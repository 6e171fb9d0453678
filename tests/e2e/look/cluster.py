"""What the API says of nodes and pods."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from tests.e2e.site import Object, Site
from tests.lab.workloads import missing

CRI_SOCKET = "kubeadm.alpha.kubernetes.io/cri-socket"
_LIFECYCLE = "node.kubernetes.io/"  # taints that Kubernetes itself sets and takes


def runtimes(site: Site) -> dict[str, str]:
    """Node -> the runtime that it reports."""
    return {_name(node): str(node["status"]["nodeInfo"]["containerRuntimeVersion"]) for node in site.get("nodes")}


def not_ready(site: Site, since: datetime | None = None) -> list[str]:
    """Nodes that are not Ready, or whose last heartbeat is older than `since` (an old word is no word)."""
    out = []
    for node in site.get("nodes"):
        ready = _condition(node, "Ready")
        beat = datetime.fromisoformat(str(ready.get("lastHeartbeatTime", "1970-01-01T00:00:00+00:00")))
        if ready.get("status") != "True" or (since is not None and beat <= since):
            out.append(_name(node))
    return out


def cordoned(site: Site) -> set[str]:
    return {_name(node) for node in site.get("nodes") if node["spec"].get("unschedulable")}


def taints(site: Site) -> dict[str, list[str]]:
    """Node -> its taints as key=value:effect, without those that the node controller keeps."""
    return {
        _name(node): sorted(
            f"{taint['key']}={taint.get('value', '')}:{taint['effect']}"
            for taint in node["spec"].get("taints", [])
            if not taint["key"].startswith(_LIFECYCLE)
        )
        for node in site.get("nodes")
    }


def cri_sockets(site: Site) -> dict[str, str]:
    return {_name(node): node["metadata"].get("annotations", {}).get(CRI_SOCKET, "") for node in site.get("nodes")}


def marks(site: Site) -> dict[str, list[str]]:
    """Annotations and labels of the pipeline's own on every node."""
    out: dict[str, list[str]] = {}
    for node in site.get("nodes"):
        metadata = node["metadata"]
        keys = [*metadata.get("annotations", {}), *metadata.get("labels", {})]
        out[_name(node)] = sorted(key for key in keys if "cri-switch" in key)
    return out


def written(site: Site) -> dict[str, list[str]]:
    """What a run writes beside nodes and pods: its Lease with its state, Events by it, DaemonSets that it holds."""
    leases = [each for each in site.get("leases") if _name(each) == "cri-switch"]
    events = [each for each in site.get("events") if each.get("source", {}).get("component") == "cri-switch"]
    return {
        "leases": [f"{_full_name(each)} {each['metadata']['resourceVersion']}" for each in leases],
        "events": sorted(f"{_name(each)} {each.get('count', 1)}" for each in events),
        "daemonsets": [f"{_full_name(each)} {each['metadata']['generation']}" for each in site.get("daemonsets")],
    }


def not_whole(site: Site) -> list[str]:
    """What of the standard workload is missing, in words; and every pod that does not do what it should."""
    wrong = missing(site.lab)
    for pod in site.get("pods"):
        if pod["status"]["phase"] != "Succeeded" and not _is_ready(pod) and not _is_young(pod):
            wrong.append(f"{_full_name(pod)} on {pod['spec'].get('nodeName')} is not ready")
    return wrong


def not_on(site: Site, scheme: str) -> list[str]:
    """Containers of running pods whose id is not of this runtime, by what the API knows of each."""
    return [
        f"{_full_name(pod)} {status['name']}: {status.get('containerID', '')}"
        for pod in site.get("pods")
        if pod["status"]["phase"] == "Running"
        for status in pod["status"].get("containerStatuses", [])
        if not status.get("containerID", "").startswith(scheme)
    ]


def restarted(site: Site) -> list[str]:
    """Containers that were started more than once: a first start failed, or something died."""
    return [
        f"{_full_name(pod)} {status['name']}: {status['restartCount']}"
        for pod in site.get("pods")
        for status in pod["status"].get("containerStatuses", [])
        if status["restartCount"]
    ]


def warnings(site: Site, reasons: Iterable[str], since: datetime) -> list[str]:
    """Warning events with one of these reasons that were seen last after `since`, of pods and nodes."""
    wanted = set(reasons)
    return [
        f"{event['involvedObject']['kind']} {event['involvedObject']['name']}: {event['reason']}: {event['message']}"
        for event in site.get("events")
        if event["type"] == "Warning" and event["reason"] in wanted and _last_seen(event) >= since
    ]


def not_started_since(site: Site, when: datetime) -> list[str]:
    """Pods that the API calls running and of which a container has not started after `when`: an old word."""
    return [
        f"{_full_name(pod)} {status['name']}"
        for pod in site.get("pods")
        if pod["status"]["phase"] == "Running"
        for status in pod["status"].get("containerStatuses", [])
        if datetime.fromisoformat(
            status.get("state", {}).get("running", {}).get("startedAt", "1970-01-01T00:00:00+00:00")
        )
        <= when
    ]


def addresses(site: Site, node: str) -> set[str]:
    """Addresses of the pods that run on a node and have a network of their own."""
    return {
        pod["status"]["podIP"]
        for pod in site.get("pods")
        if pod["spec"].get("nodeName") == node
        and not pod["spec"].get("hostNetwork")
        and pod["status"]["phase"] in ("Running", "Pending")
        and pod["status"].get("podIP")
    }


def terminating(site: Site, app: str) -> list[tuple[str, str]]:
    """Pods of an app that are going: (node, name)."""
    return [
        (pod["spec"].get("nodeName", ""), _name(pod))
        for pod in site.get("pods", "-l", f"app={app}")
        if "deletionTimestamp" in pod["metadata"]
    ]


def _last_seen(event: Object) -> datetime:
    time = event.get("lastTimestamp") or event.get("eventTime") or event["metadata"]["creationTimestamp"]
    return datetime.fromisoformat(str(time))


def _name(thing: Object) -> str:
    return str(thing["metadata"]["name"])


def _full_name(pod: Object) -> str:
    return f"{pod['metadata']['namespace']}/{_name(pod)}"


def _condition(thing: Object, kind: str) -> dict[str, Any]:
    conditions: list[dict[str, Any]] = thing["status"].get("conditions", [])
    return next((condition for condition in conditions if condition["type"] == kind), {})


def _is_ready(pod: Object) -> bool:
    return _condition(pod, "Ready").get("status") == "True"


def _is_young(pod: Object) -> bool:
    """The CronJob makes a pod every minute: one that has just begun is not a fault."""
    return str(pod["metadata"].get("labels", {}).get("app")) == "minutely"
