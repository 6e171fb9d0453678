"""A simulated cluster in the process of the run: its API by HTTP, its nodes without sockets; for thousands of nodes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cri_switch.model.settings_file import load_migration
from cri_switch.rehearsal.access import write_kubeconfigs, write_settings
from cri_switch.rehearsal.build import ClusterSpec, build
from cri_switch.rehearsal.clock import Clock
from cri_switch.rehearsal.connection import offered
from cri_switch.rehearsal.http_server import HttpServer
from cri_switch.rehearsal.invariants import Invariants
from cri_switch.rehearsal.process import refuse
from cri_switch.rehearsal.promise import Promise
from cri_switch.rehearsal.world import World


@contextmanager
def in_memory(
    spec: ClusterSpec, directory: Path, *, speed: float = 10.0, settings: dict[str, Any] | None = None
) -> Iterator[World]:
    """The cluster until the block ends; `directory` gets kubeconfig and migration.yaml (spec.ssh.transport: memory).

    `settings` are further ones of the migration's spec.

    Raises:
        RehearsalFailed: at the end, something was asked for that the rehearsal does not know, or a promise was broken.
    """
    world = build(spec, Clock(speed))
    server = HttpServer(world.api)
    write_kubeconfigs(directory, server.url)
    path = write_settings(directory, "rehearsal", {"transport": "memory"}, settings or {})
    invariants = Invariants(world, Promise.of(load_migration(str(path)).spec, world, spec.migrated))
    for name in world.machines:
        invariants.watch(name, lambda _argv: None)
    world.start()
    try:
        with offered(world):
            yield world
            refuse(world.complaints)
            refuse(invariants.broken)
    finally:
        world.close()
        server.close()
