"""Images, from the cache into the machines' Docker."""

from __future__ import annotations

import json
from pathlib import Path

from tests.lab import assets
from tests.lab.machine import execute
from tests.lab.report import step
from tests.lab.state import MachineState

_CONTROL_PLANE_ONLY = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd")


def load(node: MachineState) -> None:
    """docker load of what a node of this role needs; a worker that wants more would pull it."""
    with step(f"{node.spec.name}: images"):
        for ref, file in _listed().items():
            if node.spec.role == "control-plane" or not any(name in ref for name in _CONTROL_PLANE_ONLY):
                with file.open("rb") as archive:
                    execute(node, "docker", "load", "--quiet", stdin=archive)


def _listed() -> dict[str, Path]:
    directory = assets.images()
    entries = json.loads((directory / "images.json").read_text())
    return {entry["ref"]: directory / entry["file"] for entry in entries}
