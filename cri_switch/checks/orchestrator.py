"""Whether this process runs on a node that it would drain (DESIGN rule 4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cri_switch.model.finding import Finding

_REMEDY = "run the worker or the command line on a machine outside of the cluster"


@dataclass(frozen=True)
class Here:
    """The machine that this process runs on; "" is what it does not say.

    `pod` is namespace/name of its own pod, `pod_found` whether the target cluster has that pod.
    """

    machine_id: str = ""
    boot_id: str = ""
    hostname: str = ""
    addresses: frozenset[str] = frozenset()
    pod: str = ""
    pod_found: bool = False


def check_orchestrator(here: Here, nodes: Iterable[Mapping[str, Any]]) -> list[Finding]:
    """An error for each node that is this machine; `nodes` are the API's JSON.

    The machine id decides, where both have one. The boot id is the kernel's: it finds us also in a container on a
    node, whose machine id is another. Where several nodes have the same one, they are containers on one kernel, and it
    tells nothing by itself: then our host name or one of our addresses must be the node's too.
    """
    found = list(nodes)
    boots = [node["status"]["nodeInfo"].get("bootID") or "" for node in found]
    findings = []
    for node, boot in zip(found, boots, strict=True):
        why = _why(here, node, boot, shared=boots.count(boot) > 1)
        if why:
            name = node["metadata"]["name"]
            summary = f"this process runs on node {name}: {why}"
            findings.append(
                Finding("error", "OrchestratorOnNode", summary, node=name, object=f"Node/{name}", remedy=_REMEDY)
            )
    if here.pod_found:
        summary = f"this process runs in pod {here.pod} of the cluster that it would migrate"
        findings.append(Finding("error", "OrchestratorInCluster", summary, object=f"Pod/{here.pod}", remedy=_REMEDY))
    return findings


def _why(here: Here, node: Mapping[str, Any], boot: str, *, shared: bool) -> str:
    info = node["status"]["nodeInfo"]
    if here.machine_id and info.get("machineID") == here.machine_id:
        return f"the same machine id, {here.machine_id}"
    if not here.boot_id or boot != here.boot_id:
        return ""
    if not shared:
        return f"the same boot id, {boot}"
    addresses = {each.get("address", "") for each in node["status"].get("addresses") or []}
    common = sorted((addresses & here.addresses) - {""})
    if common:
        return f"the same boot id and address, {common[0]}"
    return "the same boot id and host name" if here.hostname == node["metadata"]["name"] else ""
