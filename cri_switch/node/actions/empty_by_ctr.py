"""Take every pod away from a containerd whose CRI cannot be asked."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from cri_switch.node.action import Do, Part, Until, read
from cri_switch.node.actions.give_back import give_back
from cri_switch.node.actions.remove_stale_rules import CRI_CACHE
from cri_switch.node.command import plain, sudo
from cri_switch.node.fact import Fact
from cri_switch.node.facts.cni import attachments
from cri_switch.node.facts.containerd import UNIT
from cri_switch.node.facts.ctr import containerd_tasks
from cri_switch.node.facts.leftovers import CTR_CONTAINERS, CTR_PIDS, ctr_container, stop_order
from cri_switch.node.facts.network import MOUNT_POINTS

TASKS = containerd_tasks("k8s.io")
_SANDBOXES = "/io.containerd.grpc.v1.cri/sandboxes/"


def empty_by_ctr(bin_dir: str) -> Generator[Part, Any, list[str]]:
    """What CRI would do, without it: kill, CNI DEL while the pauses live, remove, unmount, forget by a restart."""
    work = []
    for identity in (yield from read(CTR_CONTAINERS)):
        work.append((yield from read(ctr_container(identity))))
    pids = yield from read(CTR_PIDS)
    for group in stop_order([one for one in work if one.id in pids]):
        for one in group:
            yield Do(_ctr("tasks", "kill", "-s", "SIGTERM", one.id), f"stop {one.name} of {one.pod}")
        ids = {one.id for one in group}
        alive = _alive({pids[one.id] for one in group})
        for _ in range(group[0].grace * 5):
            if not (yield from read(alive)):
                break
            yield Do(plain("sleep", "0.2"), f"the grace of {len(ids)} containers")
        for identity in sorted(ids & set((yield from read(TASKS)) or ())):
            yield Do(_ctr("tasks", "kill", "-s", "SIGKILL", identity), "its grace is over")
    given, failed = yield from give_back((yield from read(attachments(CRI_CACHE))), pids, bin_dir)
    for one in work:
        if one.id in pids:
            yield Do(_ctr("tasks", "kill", "-s", "SIGKILL", one.id), f"end {one.name or 'the pause'} of {one.pod}")
            yield Do(_ctr("tasks", "rm", "-f", one.id), "remove its task")
        yield Do(_ctr("containers", "rm", one.id), f"remove {one.name or 'the pause'} of {one.pod}")
    for path in (yield from read(MOUNT_POINTS)):
        netns = path.startswith(("/run/netns/cni-", "/var/run/netns/cni-"))
        if netns or (_SANDBOXES in path and path.endswith("/shm")):
            yield Do(sudo("umount", path, ok=range(256)), "a mount of a pod that is gone")
        if netns:
            yield Do(sudo("rm", "-f", "--", path), "its network namespace")
    yield Do(sudo("systemctl", "restart", UNIT, timeout=120), "containerd forgets the pods that are gone")
    yield Until(TASKS, lambda t: t is not None, "containerd answering", 60, next_step="journalctl -u containerd")
    done = [f"{len(work)} containers of containerd's removed by ctr, {len(given)} network attachments given back"]
    return done + (["CNI DEL failed: " + "; ".join(failed)] if failed else [])


def _ctr(*words: str) -> Any:
    return sudo("ctr", "-n", "k8s.io", *words, ok=range(256), timeout=60)


def _alive(pids: set[int]) -> Fact[bool]:
    paths = [f"/proc/{pid}/comm" for pid in sorted(pids)]
    return Fact(
        "containers that still run", plain("stat", "-c", "%n", "--", *paths, ok=(0, 1)), lambda r: bool(r.stdout)
    )
