"""What dockerd says of itself, in one question."""

from __future__ import annotations

import json
from dataclasses import dataclass

from cri_switch.node.command import Result, sudo
from cri_switch.node.fact import Fact

_FORMAT = (
    '{"version":{{json .ServerVersion}},"root":{{json .DockerRootDir}},"live":{{json .LiveRestoreEnabled}},'
    '"swarm":{{json .Swarm.LocalNodeState}}}'
)


@dataclass(frozen=True)
class DockerInfo:
    """Docker's version and data root, whether containers outlive dockerd, and whether it is in swarm mode."""

    version: str
    root: str
    live_restore: bool
    swarm: bool


def _info(result: Result) -> DockerInfo:
    raw = json.loads(result.stdout)
    swarm = raw["swarm"] not in ("", "inactive")
    return DockerInfo(raw["version"], raw["root"] or "/var/lib/docker", bool(raw["live"]), swarm)


DOCKER_INFO: Fact[DockerInfo] = Fact("docker info", sudo("docker", "info", "--format", _FORMAT, timeout=60), _info)
"""Ask only while docker.service is active: docker.socket revives dockerd."""
