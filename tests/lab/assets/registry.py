"""The storage of the lab's registry, written as Docker's distribution lays it out, so that nobody has to push.

Layout: docker/registry/v2/blobs/sha256/AB/DIGEST/data, and links to them by repository under repositories/NAME.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

from tests.lab.assets.archive import read_archive
from tests.lab.assets.cache import digest, entry
from tests.lab.assets.images import images

_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_CONFIG = "application/vnd.docker.container.image.v1+json"
_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


def registry_storage() -> Path:
    """The registry's root directory, with every image: `lab/app:1`, `lab/fresh:1`, `kube-proxy:v1.20.2`, ..."""
    inputs = {"images": images().name, "own": digest(Path(__file__))}
    return entry("registry", inputs, _build)


def _build(target: Path) -> None:
    for path in sorted(images().glob("*.tar")):
        ref, config, layers = read_archive(path)
        store(target, *repository_and_tag(ref), config, layers)


def repository_and_tag(ref: str) -> tuple[str, str]:
    """Where an image lies in the registry: its reference without a host name, and its tag."""
    name, _, tag = ref.rpartition(":")
    host, _, rest = name.partition("/")
    return (rest if "." in host else name), tag


def store(root: Path, repository: str, tag: str, config: bytes, layers: list[bytes]) -> str:
    """Put an image into the storage, and answer its manifest's digest."""
    packed = [gzip.compress(layer, compresslevel=1, mtime=0) for layer in layers]
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": {"mediaType": _CONFIG, "size": len(config), "digest": _digest(config)},
            "layers": [{"mediaType": _LAYER, "size": len(data), "digest": _digest(data)} for data in packed],
        },
        indent=3,
    ).encode()
    registry = root / "docker/registry/v2"
    of_repository = registry / "repositories" / repository
    for data in (config, *packed):
        _blob(registry, data)
        _link(of_repository / "_layers", _digest(data))
    _blob(registry, manifest)
    name = _digest(manifest)
    _link(of_repository / "_manifests/revisions", name)
    _link(of_repository / "_manifests/tags" / tag / "index", name)
    _write(of_repository / "_manifests/tags" / tag / "current/link", name.encode())
    return name


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _blob(registry: Path, data: bytes) -> None:
    name = hashlib.sha256(data).hexdigest()
    _write(registry / "blobs/sha256" / name[:2] / name / "data", data)


def _link(folder: Path, name: str) -> None:
    algorithm, _, value = name.partition(":")
    _write(folder / algorithm / value / "link", name.encode())


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
