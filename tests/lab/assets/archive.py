"""Container images as files that `docker load` and `ctr images import` read, written without any container runtime.

Format: the docker-archive of `docker save`: manifest.json, one config per image named by its digest, one layer.tar.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_CREATED = "2021-01-13T13:28:09Z"  # the day of Kubernetes v1.20.2; fixed, so the same tree gives the same image
_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Image:
    """What goes into an image: a directory that becomes its one layer, and what runs in it."""

    ref: str
    entrypoint: Sequence[str] = ()
    command: Sequence[str] = ()
    environment: Sequence[str] = (_PATH,)
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def file(self) -> str:
        """The name of its archive."""
        return self.ref.replace("/", "_").replace(":", "_") + ".tar"


def write_archive(image: Image, tree: Path, target: Path) -> Path:
    """Write an image's archive into the target directory; the same tree gives the same bytes."""
    layer = layer_tar(tree)
    config = config_json(image, hashlib.sha256(layer).hexdigest())
    name = hashlib.sha256(config).hexdigest()
    manifest = [{"Config": f"{name}.json", "RepoTags": [image.ref], "Layers": ["layer/layer.tar"]}]
    members = {f"{name}.json": config, "layer/layer.tar": layer, "manifest.json": json.dumps(manifest).encode()}
    with tarfile.open(target / image.file, "w", format=tarfile.USTAR_FORMAT) as archive:
        for path, data in members.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(data), 0o644
            archive.addfile(entry, io.BytesIO(data))
    return target / image.file


def read_archive(path: Path) -> tuple[str, bytes, list[bytes]]:
    """An archive's reference, config and layers, as they are in it."""
    with tarfile.open(path) as archive:

        def member(name: str) -> bytes:
            stream = archive.extractfile(name)
            if stream is None:
                raise ValueError(f"{path}: {name} is not a file")
            return stream.read()

        (manifest,) = json.loads(member("manifest.json"))
        return manifest["RepoTags"][0], member(manifest["Config"]), [member(layer) for layer in manifest["Layers"]]


def config_json(image: Image, diff_id: str) -> bytes:
    """The image's config, whose digest is the image's id."""
    config: dict[str, Any] = {
        "architecture": "amd64",
        "os": "linux",
        "created": _CREATED,
        "config": {
            "Env": list(image.environment),
            "Entrypoint": list(image.entrypoint) or None,
            "Cmd": list(image.command) or None,
            "WorkingDir": "/",
            "Labels": dict(image.labels) or None,
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{diff_id}"]},
        "history": [{"created": _CREATED, "created_by": "cri-switch lab"}],
    }
    return json.dumps(config, sort_keys=True).encode()


def layer_tar(tree: Path) -> bytes:
    """A directory as a layer: everything owned by root, without times, in a fixed order."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as layer:
        for path in _walk(tree):
            entry = layer.gettarinfo(str(path), arcname=str(path.relative_to(tree)))
            if entry is None:  # a socket
                continue
            entry.uid = entry.gid = 0
            entry.uname = entry.gname = "root"
            entry.mtime = 0
            if entry.isreg():
                with path.open("rb") as data:
                    layer.addfile(entry, data)
            else:
                layer.addfile(entry)
    return buffer.getvalue()


def _walk(tree: Path) -> Iterator[Path]:
    for path in sorted(tree.iterdir()):
        yield path
        if path.is_dir() and not path.is_symlink():
            yield from _walk(path)
