"""The target runtime's package fetched before the drain, so that the node is not out of service for a download."""

from __future__ import annotations

from cri_switch.model.attempt import Attempt
from cri_switch.model.migration import Migration
from cri_switch.node.action import Action, read
from cri_switch.node.actions.install_runtime import runtime_package
from cri_switch.node.apt import apt
from cri_switch.node.facts.packages import packages


def stage_packages(migration: Migration, attempt: Attempt) -> Action:
    """Read the package lists and download the package; nothing is installed.

    Raises: RemoteCommandFailed with apt's own words, RemoteTimeout.
    """
    wanted, seconds = migration.spec.target.package, migration.spec.timeouts.packages
    found = yield from read(packages(wanted, "containerd", "containerd.io", "runc"))
    there = runtime_package(found, wanted)
    if there is not None:
        return f"{there.name} {there.version} was installed already"
    yield from apt(attempt, "update", ("update",), seconds=seconds, why="read the package lists")
    fetch = ("install", "--no-install-recommends", "--no-remove", "--download-only", wanted)
    yield from apt(attempt, "download", fetch, seconds=seconds, why=f"download {wanted}")
    return f"{wanted} downloaded"
