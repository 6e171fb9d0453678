"""Releases of distributions, and what their package sources offer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Release:
    """`os_release` is the file's text, `offered` are package versions by name, `bin_dir` its containerd's CNI trap."""

    name: str
    os_release: str
    offered: Mapping[str, str]


DEBIAN_11 = Release(
    "Debian GNU/Linux 11 (bullseye)",
    'PRETTY_NAME="Debian GNU/Linux 11 (bullseye)"\nNAME="Debian GNU/Linux"\nVERSION_ID="11"\nID=debian\n',
    {
        "docker.io": "20.10.5+dfsg1-1+deb11u4",
        "docker-engine": "20.10.5+dfsg1-1+deb11u4",
        "containerd": "1.4.13~ds1-1~deb11u4",
        "runc": "1.0.0~rc93+ds1-5+deb11u5",
        "tini": "0.19.0-1",
    },
)
DEBIAN_12 = Release(
    "Debian GNU/Linux 12 (bookworm)",
    'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nID=debian\n',
    {
        "docker.io": "20.10.24+dfsg1-1+deb12u1",
        "docker-engine": "20.10.24+dfsg1-1+deb12u1",
        "containerd": "1.6.20~ds1-1+deb12u1",
        "runc": "1.1.5+ds1-1+deb12u1",
        "tini": "0.19.0-1",
    },
)
