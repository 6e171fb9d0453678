"""The way back to Docker: one list, right from every step, and from the middle of itself."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from cri_switch.model.attempt import Attempt
from cri_switch.model.errors import DiskFull, NotProven
from cri_switch.model.migration import Migration
from cri_switch.node.action import Action, Do, Part, Until, read
from cri_switch.node.actions.empty_runtime import empty_runtime
from cri_switch.node.actions.free_docker import free_docker
from cri_switch.node.actions.restore import forget_originals, restore_files, restore_kernel, restore_runtime
from cri_switch.node.actions.restore_packages import restore_packages
from cri_switch.node.actions.retire_docker import SERVICE, SOCKET
from cri_switch.node.actions.stop_kubelet import KUBELET
from cri_switch.node.before import Before, before_fact
from cri_switch.node.command import sudo
from cri_switch.node.facts.ctr import containerd_tasks
from cri_switch.node.facts.kubelet import command_line
from cri_switch.node.facts.leftovers import CRI_LOGS, DANGLING_LOGS, K8S_SHIMS, POD_LOGS
from cri_switch.node.facts.packages import DOCKER, packages
from cri_switch.node.facts.programs import has_program
from cri_switch.node.facts.room import room
from cri_switch.node.facts.units import units

_AT_ONCE = 200
_STORES = ("/var/lib/kubelet", "/var/lib/docker")
_LITTLE = 256 << 20
"""Bytes. Well below any threshold of the kubelet's, and above what our reserve gives back."""
_LOOK = "on the node: journalctl -n 50 -u"


def undo(migration: Migration, attempt: Attempt) -> Action:
    """Docker runs the pods again, and everything that was changed is as it was noted before the first change.

    Raises:
        NotProven: Docker's packages are gone (nothing was touched), or containerd's pods could not be removed.
        DiskFull: Docker runs, and the kubelet must not be started.
        RemoteTimeout: a unit does not start.
    """
    before = yield from read(before_fact(attempt.migration_id))
    yield from refuse_without_docker(before)
    done: list[str] = []
    if not (yield from _serves_on_docker()):
        yield from _stop_kubelet()
        done += yield from empty_runtime(migration, before, migration_id=attempt.migration_id)
        done += yield from _clean_logs()
    done += yield from free_docker(migration, before, migration_id=attempt.migration_id)
    done += yield from restore_files(attempt.migration_id)
    done += yield from restore_runtime(before)
    done += yield from _start_docker(before)
    done += yield from restore_kernel(before)
    done += yield from _start_kubelet(before)
    done += yield from restore_packages(before, migration, attempt)
    # now, not when the node is proven: a run that dies in between leaves minutes in which somebody may edit a file
    yield from forget_originals(attempt.migration_id, attempt.number)
    return "; ".join(done) or "the node was on Docker already, nothing was to be put back"


def refuse_without_docker(before: Before) -> Generator[Part, Any, None]:
    """Raises NotProven where Docker is not installed any more."""
    found = yield from read(packages(*DOCKER))
    there = {name for name, each in found.items() if each.installed}
    noted = {name: version for name, version in before.packages.items() if name in DOCKER}
    unit = (yield from read(units(SERVICE)))[SERVICE]
    gone = sorted(set(noted) - there)
    if gone or (not there and (not unit.exists or unit.unit_file_state == "generated" or not unit.fragment_path)):
        names = " ".join(f"{name}={noted[name]}" for name in gone) or "docker.io"
        raise NotProven(
            f"there is no way back to Docker any more: its packages are gone ({', '.join(gone) or 'all'})",
            state="nothing was touched; the node stays on the new runtime",
            next_step=f"install them by hand if it must be (apt-get install {names}), then the same command again",
        )


def _serves_on_docker() -> Generator[Part, Any, bool]:
    """Whether the kubelet runs on Docker and containerd runs nothing: then nothing is stopped."""
    found = yield from read(units(KUBELET, SERVICE))
    if not (found[KUBELET].active and found[SERVICE].active):
        return False
    argv = yield from read(command_line(found[KUBELET].main_pid))
    if not argv or any(word.startswith("--container-runtime-endpoint") for word in argv):
        return False
    if (yield from read(K8S_SHIMS)):
        return False
    return not ((yield from read(has_program("ctr"))) and (yield from read(containerd_tasks("k8s.io"))))


def _stop_kubelet() -> Generator[Part, Any, None]:
    unit = (yield from read(units(KUBELET)))[KUBELET]
    if not unit.stopped:  # it may be restarting for ever
        yield Do(sudo("systemctl", "stop", KUBELET, timeout=120), "stop the kubelet")
        yield Until(units(KUBELET), lambda now: now[KUBELET].stopped, "kubelet stopped", 30, next_step=_LOOK)


def _clean_logs() -> Generator[Part, Any, list[str]]:
    """containerd's log files, and links to them: dockershim makes links of the same names."""
    logs = yield from read(CRI_LOGS)
    if logs:
        words = ("-mindepth", "3", "-maxdepth", "3", "-type", "f", "-name", "[0-9]*.log*", "-delete")
        yield Do(sudo("find", POD_LOGS, *words, timeout=120), "delete containerd's logs of pods")
    links = yield from read(DANGLING_LOGS)
    for start in range(0, len(links), _AT_ONCE):
        yield Do(sudo("rm", "-f", "--", *links[start : start + _AT_ONCE]), "remove dangling log links")
    return [f"{len(logs)} logs of containerd's removed"] if logs else []


def _start_docker(before: Before) -> Generator[Part, Any, list[str]]:
    found = yield from read(units(SERVICE, SOCKET))
    names = [name for name in (SOCKET, SERVICE) if found[name].exists]
    masked = [name for name in names if found[name].masked and not before.unit(name).masked]
    if masked:
        yield Do(sudo("systemctl", "unmask", *masked), "unmask Docker's units")
        found = yield from read(units(SERVICE, SOCKET))
    for name in names:
        if before.known and before.unit(name).enabled and not found[name].enabled and not before.unit(name).masked:
            yield Do(sudo("systemctl", "enable", name), f"{name} starts at boot, as before")
    start = [name for name in names if not found[name].active and before.unit(name).active]
    if not start:
        return []
    if any(found[name].active_state == "failed" for name in start):
        yield Do(sudo("systemctl", "reset-failed", *start, ok=range(256)), "forget their failures")
    for name in start:
        yield Do(sudo("systemctl", "start", name, timeout=180), f"start {name}")
    yield Until(units(SERVICE), lambda now: now[SERVICE].active, "dockerd running", 60, next_step=f"{_LOOK} docker")
    return ["dockerd started"]


def _start_kubelet(before: Before) -> Generator[Part, Any, list[str]]:
    """With the flags of before; after the proof that containerd runs nothing (empty_runtime)."""
    unit = (yield from read(units(KUBELET)))[KUBELET]
    done = []
    if before.known and before.unit(KUBELET).enabled and not unit.enabled:
        yield Do(sudo("systemctl", "enable", KUBELET), "the kubelet starts at boot, as before")
    if not unit.active:
        yield from _refuse_full_disk()
        yield Do(sudo("systemctl", "reset-failed", KUBELET, ok=range(256)), "forget the kubelet's failures")
        yield Do(sudo("systemctl", "start", KUBELET, timeout=120), "start the kubelet")
        yield Until(
            units(KUBELET), lambda now: now[KUBELET].active, "kubelet running", 60, next_step=f"{_LOOK} kubelet"
        )
        done.append("kubelet started")
    return done


def _refuse_full_disk() -> Generator[Part, Any, None]:
    """A kubelet that starts on a full disk evicts, and deletes the images of containers that are not made yet.

    Seen: kube-proxy's image was gone from Docker, and no registry had it. Its pressure outlives its cause by 5 minutes.
    """
    for each in (yield from read(room(*_STORES))).values():
        if each.free < _LITTLE:
            raise DiskFull(
                f"{each.mount} is full, {each.free >> 20} MB are free: a kubelet that starts now would evict the node's"
                " pods and delete their images",
                state="Docker runs, the kubelet is stopped",
                next_step=f"make room on the node: df -h {' '.join(_STORES)}",
            )
