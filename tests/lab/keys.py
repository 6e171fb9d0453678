"""The lab's ssh: one client key, one known host key for every machine."""

from __future__ import annotations

from pathlib import Path

from tests.lab.process import run
from tests.lab.topology import Spec

USER = "ops"


def create(directory: Path) -> str:
    """Make the client's key; the answer is its public line."""
    key = directory / "id_ed25519"
    _keygen(key, "ops@lab")
    return key.with_suffix(".pub").read_text()


def host_key(etc_ssh: Path, spec: Spec) -> str:
    """Make a machine's host key, its only one; the answer is its line for known_hosts."""
    for old in etc_ssh.glob("ssh_host_*"):
        old.unlink()
    key = etc_ssh / "ssh_host_ed25519_key"
    _keygen(key, f"root@{spec.name}")
    kind, public, *_ = key.with_suffix(".pub").read_text().split()
    return f"{spec.name},{spec.address} {kind} {public}\n"


def ssh_config(directory: Path, machines: list[Spec]) -> str:
    """A Host entry for each machine: by address, with checked host keys, and no key but the lab's."""
    common = {
        "User": USER,
        "IdentityFile": directory / "id_ed25519",
        "IdentitiesOnly": "yes",
        "UserKnownHostsFile": directory / "known_hosts",
        "GlobalKnownHostsFile": "/dev/null",
        "StrictHostKeyChecking": "yes",
        "BatchMode": "yes",
        "ConnectTimeout": "10",
    }
    entries = [
        "\n".join([f"Host {spec.name}", f"  HostName {spec.address}", *(f"  {k} {v}" for k, v in common.items())])
        for spec in machines
    ]
    return "\n\n".join(entries) + "\n"


def _keygen(key: Path, comment: str) -> None:
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(key)])
