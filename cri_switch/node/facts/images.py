"""Images: which ones Docker's containers use, and which ones containerd's k8s.io has."""

from __future__ import annotations

import json
from dataclasses import dataclass

from cri_switch.node.command import Result, sudo
from cri_switch.node.fact import Fact


@dataclass(frozen=True)
class DockerImage:
    """An image in Docker's store: `id` is its config's digest, `tags` its names, `size` in bytes."""

    id: str
    tags: tuple[str, ...]
    digests: tuple[str, ...]
    size: int


CONTAINER_IDS: Fact[list[str]] = Fact(
    "Docker's containers", sudo("docker", "ps", "-aq", "--no-trunc"), lambda result: result.stdout.split()
)


def used_images(containers: tuple[str, ...]) -> Fact[list[str]]:
    """The ids of the images that containers were made of; a container that is gone meanwhile (1) is passed over."""

    def parse(result: Result) -> list[str]:
        return sorted({word for word in result.stdout.split() if word.startswith("sha256:")})

    command = sudo("docker", "inspect", "--type", "container", "--format", "{{.Image}}", *containers, ok=(0, 1))
    return Fact("images in use", command, parse)


def docker_images(ids: tuple[str, ...]) -> Fact[list[DockerImage]]:
    """Those of the images that are in Docker's store."""
    form = '{"id":{{json .Id}},"tags":{{json .RepoTags}},"digests":{{json .RepoDigests}},"size":{{.Size}}}'

    def parse(result: Result) -> list[DockerImage]:
        found = [json.loads(line) for line in result.stdout.splitlines() if line.strip()]
        return [DockerImage(f["id"], _named(f["tags"]), tuple(f["digests"] or ()), int(f["size"])) for f in found]

    command = sudo("docker", "inspect", "--type", "image", "--format", form, *ids, ok=(0, 1), timeout=60)
    return Fact("Docker's images", command, parse)


def _named(tags: list[str] | None) -> tuple[str, ...]:
    return tuple(tag for tag in tags or () if "<none>" not in tag)


CONTAINERD_IMAGES: Fact[frozenset[str]] = Fact(
    "images in k8s.io",
    sudo("ctr", "-n", "k8s.io", "images", "ls", "-q", timeout=60),
    lambda result: frozenset(result.stdout.split()),
)


def canonical(reference: str) -> str:
    """A name as containerd has it: "busybox" is docker.io/library/busybox:latest (Docker's reference rules)."""
    name, at, digest = reference.partition("@")
    first, slash, rest = name.partition("/")
    if not slash or not ("." in first or ":" in first or first == "localhost"):
        name = f"docker.io/{name}" if slash else f"docker.io/library/{name}"
    elif first == "index.docker.io":
        name = f"docker.io/{rest}"
    if not at and ":" not in name.rpartition("/")[2]:
        name += ":latest"
    return f"{name}{at}{digest}"
