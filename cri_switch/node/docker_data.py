"""Docker's data on a node that Docker has left, and whether it may be deleted."""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cri_switch.node.action import Part, read
from cri_switch.node.command import sudo
from cri_switch.node.fact import Fact
from cri_switch.node.facts.docker import DOCKER_SHIMS
from cri_switch.node.facts.packages import DOCKER, packages
from cri_switch.node.facts.texts import texts
from cri_switch.node.facts.units import units
from cri_switch.render.docker_daemon import DAEMON_JSON, parse_daemon_json

MOUNTS = "/proc/self/mounts"
_FLAG_FILES = (
    "/etc/default/docker", "/etc/systemd/system/docker.service", "/etc/systemd/system/docker.service.d",
    "/lib/systemd/system/docker.service",
)  # fmt: skip
_FLAG = re.compile(r"(?:--data-root|--graph|(?<=\s)-g)[= ]+[\"']?(/[^\s\"']*)")
_PATH = re.compile(r"(/[A-Za-z0-9_@+-][A-Za-z0-9._@+-]*){2,}")
_NEVER = frozenset({"/var/lib", "/var/lib/kubelet", "/var/lib/containerd", "/var/lib/etcd", "/var/lib/cri-switch"})
_DOCKERS_OWN = frozenset((
    "aufs", "btrfs", "builder", "buildkit", "containerd", "containers", "devicemapper", "engine-id", "fuse-overlayfs",
    "image", "network", "nuke-graph-directory.sh", "overlay", "overlay2", "plugins", "runtimes", "swarm", "tmp",
    "tmp-old", "trust", "vfs", "volumes", "zfs",
))  # fmt: skip
"""What dockerd makes in its data root (moby, daemon/daemon.go and its graph drivers)."""


@dataclass(frozen=True)
class DockerData:
    """Where the data are, whether there are any, and why they must stay (a line each)."""

    root: str
    exists: bool
    refusals: tuple[str, ...] = ()


def docker_data() -> Generator[Part, Any, DockerData]:
    """`data = yield from docker_data()`: everything is read, nothing changed.

    Raises: RenderError for a daemon.json that is not understood.
    """
    known = yield from read(packages(*DOCKER))
    docker = (yield from read(units("docker.service")))["docker.service"]
    here = yield from read(texts(DAEMON_JSON, MOUNTS))
    flags = yield from read(_FLAGS)
    root = flags[-1] if flags else parse_daemon_json(here.get(DAEMON_JSON)).data_root
    root = root.rstrip("/") or "/"
    entries = yield from read(_found(root, "-mindepth", "1", "-maxdepth", "1"))
    there = (yield from read(_found(root, "-maxdepth", "0"))) == [root]
    if not there:
        return DockerData(root, exists=False)
    installed = sorted(name for name, each in known.items() if each.installed)
    refusals = [f"Docker's packages are installed: {', '.join(installed)}"] if installed else []
    refusals += ["docker.service runs"] if docker.active else []
    refusals += ["a container of Docker's runs"] if (yield from read(DOCKER_SHIMS)) else []
    refusals += _path_refusals(root, (yield from read(_real(root))), here.get(MOUNTS, ""), entries)
    if not refusals:
        refusals += yield from _foreign(root)
    return DockerData(root, exists=True, refusals=tuple(refusals))


def _foreign(root: str) -> Generator[Part, Any, list[str]]:
    """Volumes with data and containers that are not Kubernetes'."""
    inside = f"{root}/volumes"
    data = yield from read(_found(inside, "-mindepth", "3", "-maxdepth", "3", "-path", f"{inside}/*/_data/*"))
    volumes = sorted({line[len(inside) + 1 :].partition("/")[0] for line in data if line.startswith(f"{inside}/")})
    configs = yield from read(_found(f"{root}/containers", "-maxdepth", "2", "-name", "config.v2.json"))
    found = (yield from read(texts(*configs))) if configs else {}
    return [
        *(f"volume {name} has data in {inside}/{name}" for name in volumes),
        *(f"container {name} is not Kubernetes'" for name in foreign_containers(found)),
    ]


def foreign_containers(configs: Mapping[str, str]) -> list[str]:
    """The names of containers without a pod's label, from their config.v2.json by path; unreadable ones count too."""
    names = []
    for path, text in sorted(configs.items()):
        try:
            config = json.loads(text)
            labels = (config.get("Config") or {}).get("Labels") or {}
            name = str(config.get("Name") or path).lstrip("/")
        except (ValueError, AttributeError):
            labels, name = {}, f"{path} (not understood)"
        if "io.kubernetes.pod.uid" not in labels:
            names.append(name)
    return names


def _path_refusals(root: str, real: str, mounts: str, entries: Sequence[str]) -> list[str]:
    """Why this path must not be handed to `rm -rf`."""
    if not _PATH.fullmatch(root) or root in _NEVER:
        return [f"{root} is no directory that is deleted unasked: do it by hand"]
    if real != root:
        return [f"{root} leads to {real} by a symbolic link: delete it by hand"]
    points = [line.split()[1] for line in mounts.splitlines() if len(line.split()) > 1]
    if root in points:
        return [f"{root} is a mount point: umount it and make its filesystem anew"]
    below = [point for point in points if point.startswith(f"{root}/")]
    if below:
        return [f"{len(below)} mounts lie below it, such as {below[0]}: reboot the node, or umount them"]
    strange = sorted({entry.rpartition("/")[2] for entry in entries} - _DOCKERS_OWN)
    if strange:
        return [f"{root} has in it what dockerd does not make: {', '.join(strange[:5])}"]
    return []


def _parse_flags(text: str) -> list[str]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith(("#", ";"))]
    return [path for line in lines for path in _FLAG.findall(line)]


_FLAGS: Fact[list[str]] = Fact(
    "data root among dockerd's flags",
    sudo("grep", "-r", "-s", "-h", "-E", "-e", "(--data-root|--graph|-g)[= ]", "--", *_FLAG_FILES, ok=(0, 1, 2)),
    lambda result: _parse_flags(result.stdout),
)


def _found(root: str, *tests: str) -> Fact[list[str]]:
    command = sudo("find", root, *tests, ok=(0, 1), timeout=120)
    return Fact(f"find {root} {' '.join(tests)}", command, lambda result: result.stdout.splitlines())


def _real(path: str) -> Fact[str]:
    return Fact(f"real path of {path}", sudo("readlink", "-f", "--", path, ok=(0, 1)), lambda r: r.stdout.strip())
