"""Take every pod away from containerd, and prove it: no pod may ever run twice."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from cri_switch.model.migration import Migration
from cri_switch.node.action import Do, Part, Put, Until, read
from cri_switch.node.actions.empty_by_ctr import TASKS, empty_by_ctr
from cri_switch.node.actions.give_back import give_back
from cri_switch.node.actions.remove_stale_rules import CRI_CACHE
from cri_switch.node.before import Before
from cri_switch.node.command import plain, sudo
from cri_switch.node.facts.cni import attachments
from cri_switch.node.facts.containerd import UNIT
from cri_switch.node.facts.cri import cri_sandboxes
from cri_switch.node.facts.leftovers import (
    CTR_CONTAINERS,
    K8S_SHIMS,
    children_of,
    cri_work,
    stop_order,
)
from cri_switch.node.facts.programs import has_program
from cri_switch.node.facts.runtime_status import runtime_status
from cri_switch.node.facts.units import units
from cri_switch.node.files import file_fact
from cri_switch.node.flags import CNI_BIN_DIR, CNI_CONF_DIR, flags_before
from cri_switch.node.home import folder
from cri_switch.node.originals import keep_original
from cri_switch.render.containerd_config import CONFIG_TOML
from cri_switch.render.serves_cri import minimal_config, serves_cri

_NEXT = "on the node: sudo crictl rmp -af; sudo ctr -n k8s.io tasks ls"
_TRIES, _PATIENCE = 5, 15


def empty_runtime(migration: Migration, before: Before, *, migration_id: str) -> Generator[Part, Any, list[str]]:
    """Stop the pods with their grace (kube-apiserver first, etcd last), remove them, and prove that none is left.

    Where CRI does not answer it is made to: by the config.toml of before, else by a minimal one. Without crictl, ctr
    and CNI DEL from libcni's cache do it.

    Raises (by Until): RemoteTimeout, NotProven.
    """
    if not (yield from read(has_program("ctr"))):
        yield Until(K8S_SHIMS, lambda shims: not shims, "no pod of containerd's (there is no ctr to look)")
        return []
    unit = (yield from read(units(UNIT)))[UNIT]
    shims = yield from read(K8S_SHIMS)
    kept = yield from read(attachments(CRI_CACHE))
    if unit.stopped and not shims and not kept and not before.unit(UNIT).active:
        return []
    endpoint = migration.spec.target.endpoint
    done: list[str] = []
    if (yield from read(has_program("crictl"))):
        answered = (yield from read(runtime_status(endpoint))).answered
        if not answered and (shims or kept or (yield from _holds_any())):
            done += yield from _make_cri(migration, migration_id)
            answered = True
        if answered:
            done += yield from _by_cri(endpoint)
    elif (yield from read(TASKS)) is None:
        done += yield from _make_cri(migration, migration_id)
    left = yield from _holds_any()
    if left:
        flags = yield from flags_before(migration_id, migration.spec.kubelet.flags_file)
        done += yield from empty_by_ctr(flags.get("cni-bin-dir", CNI_BIN_DIR))
    yield Until(TASKS, lambda now: not now, "no task in containerd's k8s.io", 10, next_step=_NEXT)
    done += yield from _end_orphans()
    flags = yield from flags_before(migration_id, migration.spec.kubelet.flags_file)
    leaked = yield from read(attachments(CRI_CACHE))
    given, failed = yield from give_back(leaked, {}, flags.get("cni-bin-dir", CNI_BIN_DIR))
    done += [f"{len(given)} network attachments given back"] if given else []
    return done + (["CNI DEL failed: " + "; ".join(failed)] if failed else [])


def _end_orphans() -> Generator[Part, Any, list[str]]:
    """Shims that containerd does not know: of pods that it was making when the kubelet was stopped (seen on 1.4)."""
    orphans = yield from read(K8S_SHIMS)
    for _ in range(_PATIENCE):
        if not orphans:
            return []
        yield Do(plain("sleep", "0.2"), "shims that are about to end")
        orphans = yield from read(K8S_SHIMS)
    pids = [line.split()[0] for line in orphans]
    children = yield from read(children_of(pids))
    yield Do(sudo("kill", "-KILL", *children, *pids, ok=(0, 1)), "end shims that containerd has forgotten")
    yield Until(K8S_SHIMS, lambda now: not now, "no shim of k8s.io's", 10, next_step=_NEXT)
    return [f"{len(pids)} forgotten shims ended"]


def _holds_any() -> Generator[Part, Any, bool]:
    """Whether containerd has a container or a task in k8s.io; False too where none answers."""
    if (yield from read(TASKS)) is None:
        return False
    return bool((yield from read(CTR_CONTAINERS)))


def _make_cri(migration: Migration, migration_id: str) -> Generator[Part, Any, list[str]]:
    """containerd up with its CRI: by the configuration of before if that serves it, else by a minimal one."""
    kept = yield from read(file_fact(f"{folder(migration_id)}/originals{CONFIG_TOML}"))
    now = yield from read(file_fact(CONFIG_TOML))
    wanted = kept.text if serves_cri(kept.text) else now.text if serves_cri(now.text) else None
    if wanted is None:
        flags = yield from flags_before(migration_id, migration.spec.kubelet.flags_file)
        wanted = minimal_config(
            flags.get("pod-infra-container-image", ""),
            flags.get("cni-bin-dir", CNI_BIN_DIR).split(",")[0],
            flags.get("cni-conf-dir", CNI_CONF_DIR),
        )
    if wanted != now.text:
        yield from keep_original(migration_id, CONFIG_TOML)
        yield Put(CONFIG_TOML, wanted.encode("utf-8", "surrogateescape"), "a configuration with CRI", expect=now.sha256)
    yield Do(sudo("systemctl", "reset-failed", UNIT, ok=range(256)), "forget containerd's failures")
    yield Do(sudo("systemctl", "restart", UNIT, timeout=120), "restart containerd with its CRI, to remove its pods")
    if (yield from read(has_program("crictl"))):
        status = runtime_status(migration.spec.target.endpoint)
        yield Until(
            status, lambda s: s.answered, "containerd's CRI answering", 60, next_step="journalctl -u containerd"
        )
    else:
        yield Until(TASKS, lambda t: t is not None, "containerd answering", 60, next_step="journalctl -u containerd")
    return ["containerd restarted with its CRI"]


def _by_cri(endpoint: str) -> Generator[Part, Any, list[str]]:
    crictl = ("crictl", "--runtime-endpoint", endpoint)
    for group in stop_order((yield from read(cri_work(endpoint)))):
        grace = max(one.grace for one in group)
        names = ", ".join(sorted({one.name for one in group}))[:200]
        yield Do(
            sudo(*crictl, "stop", "-t", str(grace), *(o.id for o in group), timeout=grace * len(group) + 60, ok=(0, 1)),
            f"stop {len(group)} containers of containerd's ({names})",
        )
    removed: set[str] = set()
    for _ in range(_TRIES):  # one that was being made when the kubelet was stopped may come a moment later
        sandboxes = yield from read(cri_sandboxes(endpoint))
        if not sandboxes:
            break
        removed |= {one.id for one in sandboxes}
        yield Do(sudo(*crictl, "rmp", "-a", "-f", timeout=300, ok=(0, 1)), "remove containerd's pods")
    return [f"{len(removed)} pods of containerd's removed"] if removed else []
