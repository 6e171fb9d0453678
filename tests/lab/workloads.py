"""The standard workload of workload/*.yaml: applied, and waited for until all of it is whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.lab.access import kubectl
from tests.lab.machine import execute, write
from tests.lab.process import wait_for
from tests.lab.report import step
from tests.lab.state import Lab, MachineState

NAMESPACE = "lab"
SERVICE_URL = "http://10.96.0.80/"
LEDGER = "/var/lib/lab/ledger"
STATIC_POD = "/etc/kubernetes/manifests/static-web.yaml"
_HERE = Path(__file__).parent / "workload"
_CONTROL_PLANE_TAINT = "node-role.kubernetes.io/master"
_KINDS = "deployments,statefulsets,daemonsets,jobs,pods"


def apply(lab: Lab) -> None:
    """Everything at once: what waits for something else is started again by its controller."""
    if len(lab.workers) < 2:
        kubectl(lab, "taint", "nodes", *(node.spec.name for node in lab.control_planes), f"{_CONTROL_PLANE_TAINT}-")
    places = homes(lab)
    for place in places:
        execute(place, "mkdir", "-p", LEDGER)
    names = [place.spec.name for place in places]
    manifests = [placed(file.read_text(), names) for file in sorted(_HERE.glob("*.yaml"))]
    kubectl(lab, "apply", "-f", "-", stdin="\n---\n".join(manifests))
    write(lab.workers[0], STATIC_POD, (_HERE / "static" / "static-web.yaml").read_text())


def homes(lab: Lab) -> list[MachineState]:
    """The two nodes that hold the ledger's volumes: workers, and where there is but one, the last control plane."""
    return [*lab.workers, *reversed(lab.control_planes)][:2]


def placed(manifest: str, names: list[str]) -> str:
    """The manifest with the volumes' nodes put in."""
    for number, name in enumerate(names, start=1):
        manifest = manifest.replace(f"$NODE{number}", name)
    return manifest


def wait_whole(lab: Lab, seconds: float = 120) -> None:
    """Until every replica is ready, the Job is finished and the static pod runs."""
    with step("the standard workload is whole"):
        wait_for("the standard workload to be whole", lambda: not missing(lab), seconds, every=1)


def missing(lab: Lab) -> list[str]:
    """What of the workload is not whole, in words; nothing when all is."""
    answer = kubectl(lab, "-n", NAMESPACE, "get", _KINDS, "-o", "json", check=False)
    if not answer:
        return ["the API does not answer"]
    return unready(json.loads(answer)["items"], nodes=len(lab.nodes), first_worker=lab.workers[0].spec.name)


def unready(items: list[dict[str, Any]], nodes: int, first_worker: str) -> list[str]:
    """Compare a listing with what the workload should be."""
    status = {(item["kind"], item["metadata"]["name"]): item.get("status", {}) for item in items}
    wanted = {
        ("Deployment", "web"): ("readyReplicas", 4),
        ("StatefulSet", "ledger"): ("readyReplicas", 2),
        ("DaemonSet", "agent"): ("numberReady", nodes),
        ("DaemonSet", "hostnet"): ("numberReady", nodes),
        ("Job", "once"): ("succeeded", 1),
    }
    found = {key: status.get(key, {}).get(field, 0) for key, (field, _) in wanted.items()}
    out = [
        f"{kind} {name}: {found[kind, name]} of {n}"
        for (kind, name), (_, n) in wanted.items()
        if found[kind, name] != n
    ]
    static = ("Pod", f"static-web-{first_worker}")
    conditions = status.get(static, {}).get("conditions", [])
    if not any(c["type"] == "Ready" and c["status"] == "True" for c in conditions):
        out.append(f"Pod {static[1]} is not ready")
    return out
