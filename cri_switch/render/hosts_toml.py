"""containerd's hosts.toml files (from 1.5), one directory for each registry."""

from __future__ import annotations

import json

from cri_switch.render.registries import DOCKER_HUB, UPSTREAM, Registries

CERTS_D = "/etc/containerd/certs.d"
_OURS = "# Written by cri-switch"
_HEADER = f"{_OURS} from Docker's daemon.json\n"


def hosts_files(registries: Registries) -> dict[str, str]:
    """Path below /etc/containerd/certs.d -> text of each hosts.toml.

    docker.io: its mirrors in order, the upstream (`server`) last. An insecure host: https without verifying first, then
    http (`server`), as Docker asks it.
    """
    files = {}
    if registries.mirrors:
        files[f"{DOCKER_HUB}/hosts.toml"] = _text(
            UPSTREAM, [_host(mirror, registries.skips_verify(mirror)) for mirror in registries.mirrors]
        )
    for host in registries.insecure:
        files[f"{host}/hosts.toml"] = _text(f"http://{host}", [_host(f"https://{host}", True)])
    return files


def ours(text: str) -> bool:
    """Whether a hosts.toml was written here; an administrator's own is left alone."""
    return text.startswith(_OURS)


def _text(server: str, hosts: list[str]) -> str:
    return "\n".join([f"{_HEADER}server = {json.dumps(server)}\n", *hosts])


def _host(url: str, skip_verify: bool) -> str:
    lines = [f"[host.{json.dumps(url)}]", '  capabilities = ["pull", "resolve"]']
    return "\n".join([*lines, *(["  skip_verify = true"] if skip_verify else [])]) + "\n"
