"""What every machine of the lab is made from: a Debian root without a container runtime, and .deb files beside it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.lab.assets.cache import entry
from tests.lab.assets.debian import bootstrap

# A small server, as an administrator would have it; no compiler, no python, no jq.
_PACKAGES = (
    "systemd systemd-sysv dbus openssh-server sudo iproute2 iptables ebtables conntrack ethtool socat ca-certificates"
    " procps kmod mount util-linux curl apt gpgv iputils-ping netbase libpam-systemd less"
)
# Fetched with all they depend on: a node's package source must be able to install and reinstall them.
_RUNTIMES = "docker.io containerd runc tini cgroupfs-mount"
# Fetched alone: a node has them, and could want them again.
_FILES = "containernetworking-plugins iptables ebtables conntrack ethtool socat iproute2 kmod curl ca-certificates"
_FETCH = """set -e
export APT_CONFIG="$MMDEBSTRAP_APT_CONFIG"
mkdir -p "{debs}/partial" "{files}"
apt-get -qq --yes -o Dir::Cache::archives="{debs}" -o Debug::NoLocking=true --download-only install {runtimes}
rmdir "{debs}/partial"
cd "{files}" && apt-get -qq download {alone}
"""
_TIDY = """set -e
rm -f "$1"/etc/ssh/ssh_host_*_key* "$1/etc/machine-id" "$1/var/lib/dbus/machine-id"
touch "$1/etc/machine-id"
chroot "$1" useradd --create-home --shell /bin/bash --password '*' ops
chroot "$1" systemctl mask apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer fstrim.timer
"""


def base(debian: int) -> Path:
    """A directory with `root` (a bare server), `runtimes` (.deb files with their dependencies) and `files` (.debs)."""
    inputs = {"debian": debian, "packages": _PACKAGES, "runtimes": _RUNTIMES, "files": _FILES, "how": _FETCH + _TIDY}
    return entry(f"base{debian}", inputs, lambda target: _build(target, debian))


def _build(target: Path, debian: int) -> None:
    fetch = _FETCH.format(debs=target / "runtimes", files=target / "files", runtimes=_RUNTIMES, alone=_FILES)
    bootstrap(target / "root", debian, _PACKAGES, hooks=[fetch, _TIDY])
    (target / "runtimes" / "lock").unlink(missing_ok=True)


def extract(debian: int, package: str, target: Path) -> Path:
    """Unpack the files of a fetched package into a directory, without running anything of it."""
    found = [deb for part in ("files", "runtimes") for deb in (base(debian) / part).glob(f"{package}_*.deb")]
    target.mkdir(parents=True, exist_ok=True)
    subprocess.run(["dpkg-deb", "-x", str(found[0]), str(target)], check=True)
    return target
