"""Put back what was noted before the first change: files, containerd, the kernel."""

from __future__ import annotations

import posixpath
from collections.abc import Generator
from typing import Any

from cri_switch.node.action import Action, Do, Part, Until, read
from cri_switch.node.before import Before, before_path, forward_policy
from cri_switch.node.command import sudo
from cri_switch.node.fact import Fact
from cri_switch.node.facts.containerd import UNIT
from cri_switch.node.facts.looks import looks
from cri_switch.node.facts.network import IP6TABLES, IPTABLES, sysctl_values
from cri_switch.node.facts.times import modified
from cri_switch.node.facts.units import units
from cri_switch.node.home import folder
from cri_switch.node.originals import Original, originals_fact
from cri_switch.render.containerd_config import CONFIG_TOML
from cri_switch.render.hosts_toml import CERTS_D
from cri_switch.render.sysctl import SYSCTLS

CONTAINERD_DIR = "/etc/containerd"
_SOCKET = "/run/containerd/containerd.sock"


def _sum(path: str) -> Fact[str]:
    words = sudo("sha256sum", "--", path, ok=(0, 1))
    return Fact(f"sha256 of {path}", words, lambda r: r.stdout.split()[0].lstrip("\\") if r.rc == 0 else "")


def restore_files(migration_id: str) -> Generator[Part, Any, list[str]]:
    """Every kept original back, byte-equal with owner and mode; what did not exist is deleted."""
    done = []
    for original in (yield from read(originals_fact(migration_id))):
        if not original.existed:
            if original.path in (yield from read(looks(original.path))):
                yield Do(sudo("rm", "-f", "--", original.path), "it was not there before")
                done.append(f"{original.path} deleted")
            continue
        if (yield from _restore(original, f"{folder(migration_id)}/originals{original.path}")):
            done.append(f"{original.path} restored")
    if any(CERTS_D in line for line in done):
        yield Do(sudo("find", CERTS_D, "-depth", "-type", "d", "-empty", "-delete", ok=(0, 1)), "empty directories")
    return done


def _restore(original: Original, copy: str) -> Generator[Part, Any, bool]:
    directory = posixpath.dirname(original.path)
    found = yield from read(looks(original.path, copy, directory))
    same = found.get(original.path) == found.get(copy) and (yield from read(_sum(original.path))) == original.sha256
    if same:
        return False
    yield Until(
        _sum(copy),
        lambda now: now == original.sha256,
        f"the kept original {copy} whole",
        next_step=f"put {original.path} back by hand from the backup, then the same command again",
    )
    if directory not in found:
        yield Do(sudo("mkdir", "-p", "--", directory), f"make {directory}")
    temp = posixpath.join(directory, f".{posixpath.basename(original.path)}.cri-switch-undo")
    yield Do(sudo("rm", "-f", "--", temp), "what an earlier try left")
    keep = "--preserve=mode,ownership,xattr"  # not the time: start_runtime and this list compare it
    yield Do(sudo("cp", "-T", keep, "--", copy, temp), f"restore {original.path}")
    yield Do(sudo("dd", "if=/dev/null", f"of={temp}", "oflag=append", "conv=notrunc,fsync", "status=none"), "sync it")
    yield Do(sudo("mv", "-fT", "--", temp, original.path), f"restore {original.path}")
    return True


def restore_runtime(before: Before) -> Generator[Part, Any, list[str]]:
    """containerd as it was: running with its configuration of before, stopped, or not enabled."""
    if not before.known:
        return []
    unit, was = (yield from read(units(UNIT)))[UNIT], before.unit(UNIT)
    done = []
    if not was.active and not unit.stopped:
        yield Do(sudo("systemctl", "stop", UNIT, timeout=120), "containerd did not run before")
        done.append("containerd stopped")
    if unit.exists and not was.enabled and unit.enabled:
        yield Do(sudo("systemctl", "disable", UNIT), "containerd did not start at boot before")
    if was.enabled and unit.exists and not unit.enabled:
        yield Do(sudo("systemctl", "enable", UNIT), "containerd started at boot before")
    if was.active:
        # a directory is as new as the last file that was renamed into it or deleted
        written = yield from read(modified(CONFIG_TOML, CONTAINERD_DIR, _SOCKET))
        newest = max(written.get(CONFIG_TOML, 0.0), written.get(CONTAINERD_DIR, 0.0))
        fresh = newest < written.get(_SOCKET, 0.0)
        if not unit.active or not fresh:
            yield Do(sudo("systemctl", "reset-failed", UNIT, ok=range(256)), "forget containerd's failures")
            yield Do(sudo("systemctl", "restart", UNIT, timeout=120), "containerd with its configuration of before")
            yield Until(units(UNIT), lambda now: now[UNIT].active, "containerd running", 60)
            done.append("containerd restarted with its configuration of before")
    return done


def restore_kernel(before: Before) -> Generator[Part, Any, list[str]]:
    """FORWARD's policy and the sysctls, after dockerd's start: it leaves ACCEPT where forwarding was on already."""
    done = []
    saved = {"iptables": (yield from read(IPTABLES)), "ip6tables": (yield from read(IP6TABLES))}
    for program, policy in before.forward.items():
        if policy not in ("", forward_policy(saved[program])):
            yield Do(sudo(program, "-w", "10", "-P", "FORWARD", policy), "the FORWARD policy of before")
            done.append(f"{program} FORWARD {policy}")
    values = yield from read(sysctl_values(tuple(SYSCTLS)))
    wrong = [f"{key}={value}" for key, value in before.sysctls.items() if values.get(key, value) != value]
    if wrong:
        yield Do(sudo("sysctl", "-w", *wrong), "kernel settings of before")
        done.append(" ".join(wrong))
    return done


def forget_originals(migration_id: str, number: int) -> Generator[Part, Any, None]:
    """Move the list of originals aside, once all are back: what an administrator writes from then on is not ours."""
    yield from _aside(f"{folder(migration_id)}/originals.jsonl", number)


def forget(migration_id: str, number: int) -> Action:
    """Move the record aside: the node is proven as it was before, and the next attempt notes anew."""
    yield from _aside(before_path(migration_id), number)
    return "the next attempt notes anew"


def _aside(path: str, number: int) -> Generator[Part, Any, None]:
    if path in (yield from read(looks(path))):
        yield Do(sudo("mv", "-fT", "--", path, f"{path}.attempt-{number}"), "the next attempt notes anew")
