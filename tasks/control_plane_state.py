"""What the checks want to know of a control-plane node: its etcd, its certificates, room for the snapshot."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

from cri_switch.checks.control_plane import ControlPlaneState
from cri_switch.model.migration import Migration
from cri_switch.node.facts.certificates import certificates
from cri_switch.node.facts.etcd import MANIFEST, parse_etcd_manifest
from cri_switch.node.facts.etcdctl import etcd_members, etcd_status
from cri_switch.render.errors import RenderError
from tasks.guarded import Guarded
from tasks.node_state import Reading


def control_plane_state(
    reading: Reading, migration: Migration, guarded: Guarded, half_done: frozenset[str]
) -> ControlPlaneState:
    """What check_control_plane looks at; a question that fails is a problem of `guarded`.

    etcd is asked in Docker's container; where Docker does not run any more, the run's own gates ask it.
    """
    name, text = reading.node.name, reading.texts.get(MANIFEST)
    ends = tuple(
        (each.path, each.subject, each.not_after) for each in guarded.ask(certificates(), reading.connection, ())
    )
    state = ControlPlaneState(name, time.time(), local_etcd=text is not None, certificates=ends)
    if text is None or reading.containers is None:
        return state
    ids = [
        each.id
        for each in reading.containers
        if each.running and each.container_name == "etcd" and each.pod.startswith("kube-system/")
    ]
    if not ids:
        return state if name in half_done else replace(state, answered=0, problem="its container does not run")
    return guarded.attempt("etcd", lambda: _with_etcd(state, reading, text, ids[0], migration), state)


def _with_etcd(
    state: ControlPlaneState, reading: Reading, text: str, container: str, migration: Migration
) -> ControlPlaneState:
    try:
        pod = parse_etcd_manifest(text)
    except ValueError as problem:
        raise RenderError(MANIFEST, 0, str(problem)) from problem
    into = ("docker", "exec", "-e", "ETCDCTL_API=3", container)
    found = etcd_status(into, pod).read(reading.connection)
    names = etcd_members(into, pod).read(reading.connection)
    answered = {member.id for member in found.members}
    room = reading.room.get("/var/lib/etcd")
    return replace(
        state,
        members=len(names),
        learners=sum(member.learner for member in found.members),
        answered=len(found.members),
        missing=tuple(sorted(name for one, name in names.items() if one not in answered)),
        problem=found.problem,
        alarms=tuple(word for member in found.members for word in member.errors),
        db_size=max((member.db_size for member in found.members), default=0),
        etcd_free=room.free if room and pod.host_data_dir.startswith("/var/lib/etcd") else None,
        backup_free=_free(migration.spec.backup.directory),
    )


def _free(directory: str) -> int | None:
    """Room for the backup here, on the filesystem of the nearest directory above that is there."""
    path = Path(directory).expanduser().absolute()
    while not path.is_dir() and path != path.parent:
        path = path.parent
    return shutil.disk_usage(path).free if os.access(path, os.X_OK) else None
