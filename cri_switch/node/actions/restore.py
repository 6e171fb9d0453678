"""Put back what was noted before the first change: files, containerd, the kernel, packages."""

from __future__ import annotations

import posixpath
from collections.abc import Generator
from typing import Any

from cri_switch.model.attempt import Attempt
from cri_switch.model.errors import NotProven
from cri_switch.model.migration import Migration
from cri_switch.node.action import Action, Do, Part, Until, read
from cri_switch.node.actions.finish_jobs import finish_jobs
from cri_switch.node.apt import apt, restore_holds, simulated
from cri_switch.node.before import RUNTIME, Before, before_path, forward_policy
from cri_switch.node.command import Result, sudo
from cri_switch.node.fact import Fact
from cri_switch.node.facts.containerd import UNIT
from cri_switch.node.facts.network import IP6TABLES, IPTABLES, sysctl_values
from cri_switch.node.facts.packages import HELD, MANUAL, packages
from cri_switch.node.facts.times import modified
from cri_switch.node.facts.units import units
from cri_switch.node.home import folder
from cri_switch.node.originals import Original, originals_fact
from cri_switch.render.containerd_config import CONFIG_TOML
from cri_switch.render.hosts_toml import CERTS_D
from cri_switch.render.sysctl import SYSCTLS

_CONTAINERD_DIR = "/etc/containerd"
_SOCKET = "/run/containerd/containerd.sock"


def _looks(*paths: str) -> Fact[dict[str, str]]:
    """`uid:gid mode` by path, of those that exist."""

    def parse(result: Result) -> dict[str, str]:
        problems = [line for line in result.stderr.splitlines() if line and "No such file" not in line]
        if result.rc and problems:
            raise NotProven(problems[0], next_step=f"on the node: sudo stat {' '.join(paths)}")
        rows = (line.split(" ", 2) for line in result.stdout.splitlines())
        return {path: f"{owner} {mode}" for owner, mode, path in rows}

    return Fact("owners and modes", sudo("stat", "-c", "%u:%g %a %n", "--", *paths, ok=(0, 1)), parse)


def _sum(path: str) -> Fact[str]:
    words = sudo("sha256sum", "--", path, ok=(0, 1))
    return Fact(f"sha256 of {path}", words, lambda r: r.stdout.split()[0].lstrip("\\") if r.rc == 0 else "")


def restore_files(migration_id: str) -> Generator[Part, Any, list[str]]:
    """Every kept original back, byte-equal with owner and mode; what did not exist is deleted."""
    done = []
    for original in (yield from read(originals_fact(migration_id))):
        if not original.existed:
            if original.path in (yield from read(_looks(original.path))):
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
    looks = yield from read(_looks(original.path, copy, directory))
    same = looks.get(original.path) == looks.get(copy) and (yield from read(_sum(original.path))) == original.sha256
    if same:
        return False
    yield Until(
        _sum(copy),
        lambda now: now == original.sha256,
        f"the kept original {copy} whole",
        next_step=f"put {original.path} back by hand from the backup, then the same command again",
    )
    if directory not in looks:
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
    if not was.active and _SOCKET in (yield from read(_looks(_SOCKET))):
        yield Do(sudo("rm", "-f", "--", _SOCKET), "a dockerd that starts would take it for a containerd that serves")
    if unit.exists and not was.enabled and unit.enabled:
        yield Do(sudo("systemctl", "disable", UNIT), "containerd did not start at boot before")
    if was.enabled and unit.exists and not unit.enabled:
        yield Do(sudo("systemctl", "enable", UNIT), "containerd started at boot before")
    if was.active:
        # a directory is as new as the last file that was renamed into it or deleted
        written = yield from read(modified(CONFIG_TOML, _CONTAINERD_DIR, _SOCKET))
        newest = max(written.get(CONFIG_TOML, 0.0), written.get(_CONTAINERD_DIR, 0.0))
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


def restore_packages(before: Before, migration: Migration, attempt: Attempt) -> Generator[Part, Any, list[str]]:
    """What we installed is purged (its data stays), what we marked manual is automatic again, holds are back.

    A package that another one needs by now stays, stopped.
    """
    if not before.known:
        return []
    yield from finish_jobs(migration)
    names = tuple(dict.fromkeys((migration.spec.target.package, *RUNTIME)))
    found = yield from read(packages(*names))
    there = [name for name in names if name in found and found[name].status[:2].strip() not in ("", "un", "pn")]
    extra = [name for name in there if name not in before.packages and not found[name].status.startswith("rc")]
    done = []
    if extra:
        would = yield from read(simulated("purge", *extra))
        more = (would.removes | would.purges) - set(extra)
        if would.why_not or more:
            done.append(f"{', '.join(extra)} stay installed: {would.why_not or f'{sorted(more)} would go too'}")
        else:
            seconds = migration.spec.timeouts.packages
            yield from apt(attempt, "undo", ("purge", *extra), seconds=seconds, why="remove what was installed")
            yield Do(sudo("systemctl", "daemon-reload"), "systemd forgets its units")
            done.append(f"{', '.join(extra)} purged")
            done += yield from restore_files(attempt.migration_id)  # the purge took the configuration with it
    yield from _directories(before)
    manual = yield from read(MANUAL)
    auto = [name for name in names if name in before.packages and name in manual and name not in before.manual]
    if auto:
        yield Do(sudo("apt-mark", "auto", *auto, timeout=360), "automatically installed, as before")
    held = yield from read(HELD)
    yield from restore_holds([name for name in before.held if name not in held])
    return done


def _directories(before: Before) -> Generator[Part, Any, None]:
    """Directories of containerd's that were not there, where nothing is left in them."""
    new = [path for path in (CERTS_D, _CONTAINERD_DIR) if path not in before.paths]
    there = (yield from read(_looks(*new))) if new else {}
    for path in (path for path in new if path in there):
        yield Do(sudo("find", path, "-depth", "-type", "d", "-empty", "-delete", ok=(0, 1)), f"{path} was not there")


def forget_originals(migration_id: str, number: int) -> Generator[Part, Any, None]:
    """Move the list of originals aside, once all are back: what an administrator writes from then on is not ours."""
    yield from _aside(f"{folder(migration_id)}/originals.jsonl", number)


def forget(migration_id: str, number: int) -> Action:
    """Move the record aside: the node is proven as it was before, and the next attempt notes anew."""
    yield from _aside(before_path(migration_id), number)
    return "the next attempt notes anew"


def _aside(path: str, number: int) -> Generator[Part, Any, None]:
    if path in (yield from read(_looks(path))):
        yield Do(sudo("mv", "-fT", "--", path, f"{path}.attempt-{number}"), "the next attempt notes anew")
