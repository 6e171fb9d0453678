"""Remove the iptables rules of sandboxes that are gone."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from cri_switch.node.action import Do, Part, read
from cri_switch.node.command import sudo
from cri_switch.node.facts.cni import DOCKERSHIM_CACHE, attachments
from cri_switch.node.facts.network import IP6TABLES, IPTABLES
from cri_switch.render.cni_iptables import stale_rules

CRI_CACHE = "/var/lib/cni"


def attached(dockershim: str = DOCKERSHIM_CACHE) -> Generator[Part, Any, set[str]]:
    """The sandboxes that have an attachment in either libcni cache."""
    owners: set[str] = set()
    for cache in (dockershim, CRI_CACHE):
        owners |= {one.container_id for one in (yield from read(attachments(cache)))}
    return owners


def remove_stale_rules(dockershim: str) -> Generator[Part, Any, list[str]]:
    """Remove what bridge and portmap left of sandboxes without an attachment, from before any migration.

    With ipMasq a DEL without the sandbox's network namespace answers 0 and leaves rules (bridge's cmdDel in
    containernetworking/plugins): one restart of dockerd since the last boot is enough. Only while the kubelet is
    stopped: a sandbox that is being made has rules before it has an attachment.
    """
    saved = {"iptables": (yield from read(IPTABLES)), "ip6tables": (yield from read(IP6TABLES))}
    live = yield from attached(dockershim)
    done = []
    for program, text in saved.items():
        stale = stale_rules(text, live)
        for argv in stale.removals:
            yield Do(sudo(program, "-w", "10", *argv), "remove a rule of a sandbox that is gone")
        if stale.lines:
            owners = {sandbox for _chain, sandbox in stale.found}
            done.append(f"{len(stale.lines)} {program} lines of {len(owners)} sandboxes that were gone before removed")
    return done
