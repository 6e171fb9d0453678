"""Docker's swarm mode."""

from __future__ import annotations

from cri_switch.node.command import sudo
from cri_switch.node.fact import Fact

SWARM_ACTIVE: Fact[bool] = Fact(
    "Docker's swarm mode",
    sudo("docker", "info", "--format", "{{.Swarm.LocalNodeState}}", timeout=60),
    lambda result: result.stdout.strip() not in ("", "inactive"),
)
"""Ask only while docker.service is active."""
