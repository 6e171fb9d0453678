"""Put the packages back as they were before the first change."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from cri_switch.model.attempt import Attempt
from cri_switch.model.migration import Migration
from cri_switch.node.action import Do, Part, read
from cri_switch.node.actions.finish_jobs import finish_jobs
from cri_switch.node.actions.restore import CONTAINERD_DIR, restore_files
from cri_switch.node.apt import apt, restore_holds, simulated
from cri_switch.node.before import RUNTIME, Before
from cri_switch.node.command import sudo
from cri_switch.node.facts.looks import looks
from cri_switch.node.facts.packages import HELD, MANUAL, packages
from cri_switch.render.hosts_toml import CERTS_D


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
    new = [path for path in (CERTS_D, CONTAINERD_DIR) if path not in before.paths]
    there = (yield from read(looks(*new))) if new else {}
    for path in (path for path in new if path in there):
        yield Do(sudo("find", path, "-depth", "-type", "d", "-empty", "-delete", ok=(0, 1)), f"{path} was not there")
