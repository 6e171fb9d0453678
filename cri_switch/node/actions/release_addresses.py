"""Release the addresses that host-local holds for sandboxes of Docker's that are gone."""

from __future__ import annotations

from cri_switch.model.migration import Migration
from cri_switch.node.action import Action, Do, read
from cri_switch.node.actions.remove_stale_rules import attached
from cri_switch.node.command import sudo
from cri_switch.node.facts.cni import RESERVATIONS
from cri_switch.node.facts.cri import cri_sandboxes
from cri_switch.node.facts.kubelet import KUBELET_STARTED
from cri_switch.node.facts.times import modified


def release_addresses(migration: Migration) -> Action:
    """Delete reservations that name neither a sandbox of the runtime's nor an attachment in either libcni cache.

    Only those older than the kubelet's start: a newer one may be of a sandbox that is being made and not listed yet.
    CNI DEL in stop_docker gives addresses back; this is for what earlier crashes and reboots leaked.
    """
    held = yield from read(RESERVATIONS)
    if not held:
        return "host-local holds no address"
    live = {one.id for one in (yield from read(cri_sandboxes(migration.spec.target.endpoint)))}
    live |= yield from attached()
    dead = [one for one in held if one.container_id not in live]
    if not dead:
        return f"{len(held)} addresses, none leaked"
    started = yield from read(KUBELET_STARTED)
    written = yield from read(modified(*(one.path for one in dead)))
    old = [one for one in dead if one.path in written and written[one.path] < started]
    if not old:
        return f"{len(held)} addresses, none leaked before the kubelet's start"
    yield Do(sudo("rm", "-f", "--", *(one.path for one in old)), "release addresses of sandboxes that are gone")
    return f"released {', '.join(one.address for one in old)}"
