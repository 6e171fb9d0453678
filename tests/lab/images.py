"""Images, from the cache into the machines' Docker."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import IO

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


def unpack(name: str, target: Path) -> None:
    """The files of one image, to be run without Docker, with the places that a program's /proc and so on need."""
    archive = next(file for ref, file in _listed().items() if name in ref)
    target.mkdir(parents=True)
    with tarfile.open(archive) as outer:
        layer = json.load(_member(outer, "manifest.json"))[0]["Layers"][0]
        with tarfile.open(fileobj=_member(outer, layer)) as inner:
            inner.extractall(target, filter="fully_trusted")  # noqa: S202 - our own archive
    for place in ("proc", "sys", "dev", "run", "tmp", "etc"):
        (target / place).mkdir(exist_ok=True)


def _member(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    found = archive.extractfile(name)
    assert found is not None, f"{name} is no file"
    return found


def _listed() -> dict[str, Path]:
    directory = assets.images()
    entries = json.loads((directory / "images.json").read_text())
    return {entry["ref"]: directory / entry["file"] for entry in entries}
