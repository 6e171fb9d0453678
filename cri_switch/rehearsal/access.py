"""What a rehearsal hands out, as a real cluster's administrator would: kubeconfig and settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from cri_switch.rehearsal.build import ADMIN_TOKEN, TOKEN


def write_kubeconfigs(directory: Path, url: str) -> None:
    """`kubeconfig` for the pipeline's account, `admin.conf` for a person."""
    for name, token in (("kubeconfig", TOKEN), ("admin.conf", ADMIN_TOKEN)):
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "rehearsal",
            "clusters": [{"name": "rehearsal", "cluster": {"server": url}}],
            "users": [{"name": "cri-switch", "user": {"token": token}}],
            "contexts": [{"name": "rehearsal", "context": {"cluster": "rehearsal", "user": "cri-switch"}}],
        }
        path = directory / name
        path.touch(mode=0o600)
        path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


def by_sockets(directory: Path, user: str) -> dict[str, Any]:
    """The `ssh` section for the servers of sshd.py."""
    return {
        "user": user,
        "config_file": str(directory / "ssh_config"),
        "known_hosts": str(directory / "known_hosts"),
        "identity_file": str(directory / "id_ed25519"),
    }


def write_settings(directory: Path, name: str, ssh: dict[str, Any], spec: dict[str, Any]) -> Path:
    """`migration.yaml`, ready for `cri-switch`; `spec` adds to it or replaces."""
    document = {
        "apiVersion": "cri-switch/v1alpha1",
        "kind": "Migration",
        "metadata": {"name": name},
        "spec": {
            "cluster": {"kubeconfig": str(directory / "kubeconfig")},
            "ssh": ssh,
            "drain": {"delete_emptydir_data": True},
            "backup": {"directory": str(directory / "backup"), "acknowledge_not_backed_up": True},
            **spec,
        },
    }
    path = directory / "migration.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return path
