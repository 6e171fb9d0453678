"""The target runtime's package: installed from the distribution, never upgraded, kept from autoremove."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any

from cri_switch.model.attempt import Attempt
from cri_switch.model.errors import NotProven, RemoteCommandFailed
from cri_switch.model.migration import Migration
from cri_switch.node.action import Action, Part, read
from cri_switch.node.apt import apt, keep_from_autoremove, lift_holds, restore_holds, simulated
from cri_switch.node.before import before_fact
from cri_switch.node.facts.packages import HELD, Package, packages, policy
from cri_switch.node.originals import keep_original
from cri_switch.render.containerd_config import CONFIG_TOML


def runtime_package(found: Mapping[str, Package], wanted: str) -> Package | None:
    """The installed package that brings the runtime: the one wanted, or docker.com's; None when there is none."""
    for name in (wanted, "containerd", "containerd.io"):
        if name in found and found[name].installed:
            return found[name]
    return None


def install_runtime(migration: Migration, attempt: Attempt) -> Action:
    """Install the package where there is none, and mark it and runc manual, before Docker's packages ever go.

    Raises: NotProven when apt would remove another package for it, RemoteCommandFailed with apt's own words.
    """
    wanted = migration.spec.target.package
    found = yield from read(packages(wanted, "containerd", "containerd.io", "runc"))
    there = runtime_package(found, wanted)
    name = there.name if there else wanted
    keep = [name]
    if there is None or ("runc" in found and found["runc"].installed):
        keep.append("runc")
    if there is None:
        yield from keep_original(attempt.migration_id, CONFIG_TOML)  # the package brings one, and its purge takes any
        yield from lift_holds([wanted, "runc"])
        yield from _install(migration, attempt, wanted)
        now = yield from read(packages(wanted, "runc"))
        keep = [package for package in keep if package not in now or now[package].installed or package == name]
    marked = yield from keep_from_autoremove(keep)
    yield from _hold_again(attempt, [wanted, "runc"])
    if there is None:
        return f"{wanted} installed"
    if marked:
        return f"{name} {there.version} was installed already; marked manual (was automatic): {', '.join(marked)}"
    return f"{name} {there.version} was installed already, manually"


def _hold_again(attempt: Attempt, names: Sequence[str]) -> Generator[Part, Any, None]:
    """The administrator's holds, as they were noted: this run or one that was killed has lifted them."""
    before = yield from read(before_fact(attempt.migration_id))
    mine = [name for name in names if name in before.held]
    held = (yield from read(HELD)) if mine else ()
    yield from restore_holds([name for name in mine if name not in held])


def _install(migration: Migration, attempt: Attempt, name: str) -> Generator[Part, Any, None]:
    seconds = migration.spec.timeouts.packages
    offer = yield from read(policy(name))
    if not offer.candidate:
        yield from apt(attempt, "update", ("update",), seconds=seconds, why="read the package lists")
    would = yield from read(simulated("install", name))
    if would.removes or would.purges:
        raise NotProven(
            f"{attempt.node}: installing {name} would remove {', '.join(sorted(would.removes | would.purges))}",
            state="nothing was installed",
            next_step=f"look at it: ssh {attempt.node} apt-get -s install {name}",
        )
    install = ("install", "--no-install-recommends", "--no-remove", name)
    try:
        yield from apt(attempt, "install", install, seconds=seconds, why=f"install {name}")
    except RemoteCommandFailed:  # the lists may be older than the source's packages
        yield from apt(attempt, "update", ("update",), seconds=seconds, why="read the package lists again")
        yield from apt(attempt, "install", install, seconds=seconds, why=f"install {name}")
