"""What the checks want to know of a node's packages."""

from __future__ import annotations

from typing import Any

from cri_switch.node.actions.install_runtime import runtime_package
from cri_switch.node.apt import simulated
from cri_switch.node.connection import Connection
from cri_switch.node.facts.packages import ALL_PACKAGES, DOCKER, KNOWN, policy
from tasks.guarded import Guarded


def package_state(wanted: str, connection: Connection, guarded: Guarded) -> dict[str, Any]:
    """The fields of NodeState that are about packages; `wanted` is the one to be installed."""
    known = guarded.ask(ALL_PACKAGES, connection, None)
    if known is None:
        return {"packages_known": False}
    there = runtime_package(known, wanted)
    offer = guarded.ask(policy(wanted), connection, None) if there is None else None
    version, source, would = there.version if there else "", "", None
    if offer is not None and offer.candidate:
        version, source = offer.candidate, offer.source(offer.candidate)
        would = guarded.ask(simulated("install", wanted), connection, None)
    return {
        "packages_known": there is not None or offer is not None,
        "docker_package": next((name for name in DOCKER if name in known and known[name].installed), ""),
        "containerd_candidate": version,
        "containerd_source": source,
        "would_remove": tuple(sorted(would.removes | would.purges)) if would else (),
        "pending_packages": tuple(sorted(name for name, each in known.items() if each.pending)),
        "held_packages": tuple(name for name in KNOWN if name in known and known[name].held and name != "kubelet"),
    }
