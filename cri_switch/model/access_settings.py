"""How the API and the nodes are reached."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cri_switch.model.section import Section


class ClusterAccess(Section):
    """How the Kubernetes API is reached."""

    kubeconfig: str = Field(
        description="Path of a kubeconfig with the rights of deployments/rbac.yaml, where the worker runs"
    )
    context: str | None = Field(default=None, description="Context in it; the current one by default")


class Ssh(Section):
    """How the nodes are reached. Secrets are files on the worker, never values here."""

    user: str = Field(
        default="", description="User on the nodes, with deployments/sudoers; by default what ssh_config says"
    )
    port: int | None = Field(
        default=None, ge=1, le=65535, description="Port of sshd; by default what ssh_config says, or 22"
    )
    config_file: str = Field(default="~/.ssh/config", description="ssh_config that names the nodes")
    inventory: str | None = Field(
        default=None,
        description="Ansible or Kubespray inventory (YAML, INI, or its directory): addresses, users, keys, jumps",
    )
    identity_file: str | None = Field(default=None, description="Private key; by default ssh_config's and the agent's")
    known_hosts: str = Field(default="~/.ssh/known_hosts", description="Host keys of the nodes")
    host_keys: Literal["strict", "accept-new"] = Field(
        default="strict", description="accept-new learns unknown hosts; a changed key is always refused"
    )
    connect_timeout: float = Field(default=15, gt=0, le=300, description="Seconds until a node counts as unreachable")
    transport: Literal["ssh", "memory"] = Field(
        default="ssh",
        description="memory reaches simulated nodes of the same process (rehearsals); no real node",
    )
