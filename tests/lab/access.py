"""What a lab hands out: the pipeline's kubeconfig (a service account's), the admin's, and the settings file."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import yaml

from tests.lab import assets, keys, network
from tests.lab.kubeconfig import kubeconfig
from tests.lab.process import run, wait_for
from tests.lab.provision import RBAC
from tests.lab.report import step
from tests.lab.state import Lab

_ACCOUNT = "cri-switch"  # both the namespace's and the service account's name in deployments/rbac.yaml


def kubectl(lab: Lab, *arguments: str, stdin: str | None = None, check: bool = True, timeout: float = 120) -> str:
    """Run kubectl as admin in the lab's network; the answer is its output (empty when it failed unchecked)."""
    program = str(lab.directory / "bin" / "kubectl")
    environment = os.environ | {"KUBECONFIG": str(lab.directory / "admin.conf"), "HOME": str(lab.directory)}
    command = [*network.inside(lab.name), program, *arguments]
    done = run(command, stdin=stdin, env=environment, check=check, timeout=timeout)
    return done.stdout if done.returncode == 0 else ""


def admin(lab: Lab) -> None:
    """Copy kubeadm's admin.conf, and put kubectl where `exec` finds it."""
    _private(lab.directory / "admin.conf", (lab.control_plane.root / "etc/kubernetes/admin.conf").read_text())
    programs = lab.directory / "bin"
    programs.mkdir(exist_ok=True)
    (programs / "kubectl").symlink_to(assets.kubernetes() / "kubectl")


def pipeline(lab: Lab) -> None:
    """Apply the product's RBAC manifest and write a kubeconfig with the token of its service account."""
    with step("the pipeline's service account"):
        kubectl(lab, "apply", "-f", str(RBAC))
        token = _token(lab)
        authority = (lab.control_plane.root / "etc/kubernetes/pki/ca.crt").read_bytes()
        server = f"https://{lab.endpoint}"
        _private(lab.directory / "kubeconfig", kubeconfig(server, authority, _ACCOUNT, token))


def settings(name: str, directory: Path) -> str:
    """The migration's settings for this cluster."""
    document = {
        "apiVersion": "cri-switch/v1alpha1",
        "kind": "Migration",
        "metadata": {"name": name},
        "spec": {
            "cluster": {"kubeconfig": str(directory / "kubeconfig")},
            "ssh": {
                "user": keys.USER,
                "config_file": str(directory / "ssh_config"),
                "known_hosts": str(directory / "known_hosts"),
                "identity_file": str(directory / "id_ed25519"),
            },
            "target": {"runtime": "containerd"},
            "drain": {"delete_emptydir_data": True},
            "backup": {"directory": str(directory / "backup"), "acknowledge_not_backed_up": True},
        },
    }
    return yaml.safe_dump(document, sort_keys=False)


def _token(lab: Lab) -> str:
    """From the secret that Kubernetes 1.20 makes for every service account."""
    found = ""

    def there() -> bool:
        nonlocal found
        name = kubectl(lab, "-n", _ACCOUNT, "get", "serviceaccount", _ACCOUNT, "-o", "jsonpath={.secrets[0].name}")
        if name:
            found = kubectl(lab, "-n", _ACCOUNT, "get", "secret", name, "-o", "jsonpath={.data.token}")
        return bool(found)

    wait_for(f"a token of service account {_ACCOUNT}/{_ACCOUNT}", there, 30)
    return base64.b64decode(found).decode()


def _private(path: Path, content: str) -> None:
    path.touch(mode=0o600)
    path.write_text(content)
