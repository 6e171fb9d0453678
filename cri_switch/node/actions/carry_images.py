"""Images carried from Docker's store into containerd's, so that no registry is asked for what the node has.

Before the drain where containerd runs or installs beside Docker; else saved to an archive, imported while it is out.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cri_switch.model.attempt import Attempt
from cri_switch.model.errors import NotProven
from cri_switch.model.migration import Migration
from cri_switch.node.action import Action, Do, Part, Put, Until, read
from cri_switch.node.actions.install_runtime import install_runtime
from cri_switch.node.apt import simulated
from cri_switch.node.command import sudo
from cri_switch.node.fact import Fact
from cri_switch.node.facts.containerd import UNIT
from cri_switch.node.facts.images import (
    CONTAINER_IDS,
    CONTAINERD_IMAGES,
    DockerImage,
    canonical,
    docker_images,
    used_images,
)
from cri_switch.node.facts.kubelet import CONFIG, parse_kubelet_config
from cri_switch.node.facts.room import room
from cri_switch.node.facts.units import units
from cri_switch.node.files import RemoteFile, file_fact
from cri_switch.node.home import HOME, folder
from cri_switch.node.image_room import COPIES, shortage
from cri_switch.node.job import job

EARLY = frozenset({"containerd", "runc"})


@dataclass(frozen=True)
class Archive:
    """What lies in the archive: its checksum, and each image's id by its name."""

    sha256: str
    images: Mapping[str, str]


def stage_images(migration: Migration, attempt: Attempt) -> Action:
    """Save the images that Docker's containers use and containerd lacks; import them where containerd already runs.

    With spec.stage_images false they are only saved; import_images then does the rest while the node is out. What has
    no tag cannot be carried by docker save; it and what the disk has no room for is left to the registry.
    """
    state = yield from read(units("docker.service", "containerd.service"))
    if not state["docker.service"].active:
        return "no images carried: Docker does not run"
    runs = state["containerd.service"].active and migration.spec.stage_images
    early = ""
    if not runs and migration.spec.stage_images and not state["containerd.service"].exists:
        would = yield from read(simulated("install", migration.spec.target.package))
        if (
            not would.why_not
            and would.installs <= EARLY | {migration.spec.target.package}
            and not (would.removes or would.purges or would.upgrades)
        ):
            early = yield from install_runtime(migration, attempt)
            if (yield from read(units(UNIT)))[UNIT].enabled:
                yield Do(sudo("systemctl", "disable", UNIT), "at boot dockerd would take it for its own: free_docker")
            runs = (yield from read(units("containerd.service")))["containerd.service"].active
    imported = yield from _there(attempt, runs)
    images = yield from _in_use()
    missing = [image for image in images if any(imported.get(tag) != image.id for tag in image.tags)]
    untagged = [image.digests[0] if image.digests else image.id for image in images if not image.tags]
    notes = [early] if early else []
    if untagged:
        notes.append(f"left to the registry (no tag to carry): {', '.join(untagged)}")
    if not missing:
        return "; ".join([f"all {len(images) - len(untagged)} images in use are there already", *notes])
    if not (yield from _waits(attempt, missing)):
        places = yield from read(room(*COPIES))
        config = parse_kubelet_config((yield from read(file_fact(CONFIG))).text)
        if short := shortage(places, sum(image.size for image in missing), config):
            return "; ".join([f"{len(missing)} images left to the registry: {short}", *notes])
        yield from _save(migration, attempt, missing)
    done = f"{len(missing)} images saved"
    if runs:
        done = yield from import_images(migration, attempt)
    return "; ".join([done, *notes])


def import_images(migration: Migration, attempt: Attempt) -> Action:
    """Import the archive that stage_images left, if it did, prove that the names are there, delete it.

    Raises: NotProven when the archive is not the one that was saved, or a name is missing afterwards.
    """
    where = _where(attempt)
    noted = yield from read(file_fact(f"{where}/archive.json"))
    if noted.text is None:
        return "no images wait to be imported"
    archive = Archive(**json.loads(noted.text))
    path, seconds = f"{where}/archive.tar", migration.spec.timeouts.images
    yield Until(
        Fact("checksum of the images", sudo("sha256sum", "--", path, timeout=seconds), lambda r: r.stdout.split()[0]),
        lambda now: now == archive.sha256,
        "that the archive of images is whole",
        next_step=f"delete {where} on the node; the registry is asked for the images then",
    )
    argv = ("ctr", "-n", "k8s.io", "images", "import", path)
    yield from job(_unit(attempt, "import"), argv, seconds=seconds, why="import the images", nice=True)
    names = {canonical(name) for name in archive.images}
    yield Until(CONTAINERD_IMAGES, lambda now: names <= now, f"that containerd has {', '.join(sorted(names))}")
    before = yield from read(file_fact(f"{where}/imported.json"))
    imported = {**_imported(before), **archive.images}
    yield Put(f"{where}/imported.json", json.dumps(imported).encode(), "note what was imported", mode=0o600)
    yield Do(sudo("rm", "-f", "--", f"{where}/archive.json", path), "the archive is not needed any more")
    return f"{len(names)} images imported"


def _where(attempt: Attempt) -> str:
    return f"{folder(attempt.migration_id)}/images"


def _unit(attempt: Attempt, name: str) -> str:
    return f"{attempt.migration_id}-{attempt.number}-images-{name}"


def _imported(file: RemoteFile) -> dict[str, str]:
    return dict(json.loads(file.text)) if file.text else {}


def _there(attempt: Attempt, runs: bool) -> Generator[Part, Any, dict[str, str]]:
    """The tags that we imported and that containerd still has, with the image's id."""
    if not runs:
        return {}
    names = yield from read(CONTAINERD_IMAGES)
    imported = _imported((yield from read(file_fact(f"{_where(attempt)}/imported.json"))))
    return {tag: image for tag, image in imported.items() if canonical(tag) in names}


def _waits(attempt: Attempt, images: Sequence[DockerImage]) -> Generator[Part, Any, bool]:
    """Whether the archive holds them all already."""
    noted = yield from read(file_fact(f"{_where(attempt)}/archive.json"))
    waiting = json.loads(noted.text)["images"] if noted.text else {}
    return all(waiting.get(tag) == image.id for image in images for tag in image.tags)


def _in_use() -> Generator[Part, Any, list[DockerImage]]:
    containers = yield from read(CONTAINER_IDS)
    if not containers:
        return []
    ids = yield from read(used_images(tuple(containers)))
    return (yield from read(docker_images(tuple(ids)))) if ids else []


def _save(migration: Migration, attempt: Attempt, images: Sequence[DockerImage]) -> Generator[Part, Any, None]:
    where, seconds = _where(attempt), migration.spec.timeouts.images
    path, tags = f"{where}/archive.tar", {tag: image.id for image in images for tag in image.tags}
    yield Do(sudo("install", "-d", "-m", "0700", "--", HOME, folder(attempt.migration_id), where), "for the images")
    yield Do(sudo("rm", "-f", "--", f"{where}/archive.json"), "what an archive of before held")
    argv = ("docker", "save", "-o", path, *sorted(tags))
    yield from job(_unit(attempt, "save"), argv, seconds=seconds, why="save the images", nice=True)
    checksum = yield Do(sudo("sha256sum", "--", path, timeout=seconds), "the archive's checksum")
    digest = (checksum.stdout.split() or [""])[0]
    if digest and len(digest) != 64:
        raise NotProven(f"{attempt.node}: sha256sum answered {digest!r}")
    note = json.dumps(asdict(Archive(digest, tags))).encode()
    yield Put(f"{where}/archive.json", note, "note what the archive holds", mode=0o600)
