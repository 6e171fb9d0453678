"""Images, as both stores of a node hold them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True)
class Image:
    """One image: `id` is its config's digest, the same in both stores; `size` in bytes."""

    id: str
    tags: tuple[str, ...]
    size: int = 60 * MIB


def image(name: str, size: int = 60 * MIB) -> Image:
    """The image of a name: the same everywhere."""
    return Image(f"sha256:{hashlib.sha256(name.encode()).hexdigest()}", (name,), size)


def canonical(name: str) -> str:
    """A name as containerd has it: "busybox" is docker.io/library/busybox:latest."""
    first, slash, _rest = name.partition("/")
    if not slash or not ("." in first or ":" in first or first == "localhost"):
        name = f"docker.io/{name}" if slash else f"docker.io/library/{name}"
    return name if ":" in name.rpartition("/")[2] or "@" in name else f"{name}:latest"


def pullable(name: str) -> bool:
    """Whether a registry would still give it out: k8s.gcr.io is gone."""
    return not canonical(name).startswith("k8s.gcr.io/")
