"""The Debian packages that the lab needs on the machine it runs on."""

from __future__ import annotations

import os
import subprocess

_PACKAGES = (
    "mmdebstrap systemd-container dpkg-dev gnupg iproute2 iptables gcc libc6-dev zstd xz-utils"
    " openssh-client util-linux xfsprogs debian-archive-keyring"
)


def host_packages() -> None:
    """Install what is missing; asks nothing, and does not touch the network when all is there."""
    missing = [package for package in _PACKAGES.split() if not _installed(package)]
    if not missing:
        return
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "-qq", "update"], check=True, env=environment, stdout=subprocess.DEVNULL)
    subprocess.run(
        ["apt-get", "-qq", "-y", "--no-install-recommends", "install", *missing],
        check=True,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )


def _installed(package: str) -> bool:
    query = ["dpkg-query", "-W", "-f", "${db:Status-Status}", package]
    found = subprocess.run(query, capture_output=True, text=True, check=False)
    return found.stdout == "installed"
