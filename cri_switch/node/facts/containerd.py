"""Which containerd is installed, and what it would make of a configuration."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from cri_switch.model.errors import NotProven
from cri_switch.node.command import Command, Result, plain
from cri_switch.node.fact import Fact

UNIT = "containerd.service"


def _version(result: Result) -> str:
    found = re.search(r"\bv?(\d+\.\d+\.\d+)", result.stdout)
    if result.rc or not found:
        raise NotProven(
            f"containerd's version cannot be told: {(result.stderr or result.stdout).strip()[:300]}",
            next_step="on the node: containerd --version; is the package installed?",
        )
    return found[1]


CONTAINERD_VERSION: Fact[str] = Fact(
    "containerd's version", plain("containerd", "--version", ok=(0, 1, 126, 127)), _version
)
"""As `1.4.13`: `containerd github.com/containerd/containerd 1.4.13~ds1 1.4.13~ds1-1~deb11u4`."""


def dumped_config(text: str) -> Fact[dict[str, Any]]:
    """What containerd makes of a config.toml, before the file is written: `config dump` with the text on stdin.

    Raises: NotProven when containerd refuses it.
    """

    def parse(result: Result) -> dict[str, Any]:
        if result.rc:
            raise NotProven(
                f"containerd refuses the new configuration: {result.stderr.strip()[-500:]}",
                state="config.toml was not touched",
                next_step="compare /etc/containerd/config.toml with `containerd config default`",
                finding="ContainerdConfigNotTaken",
            )
        return tomllib.loads(result.stdout)

    command = Command(
        ("containerd", "--config", "/dev/stdin", "config", "dump"),
        sudo=False,
        stdin=text.encode("utf-8", "surrogateescape"),
        ok=frozenset({0, 1}),
    )
    return Fact("containerd's configuration", command, parse)


def systemd_cgroup(dumped: dict[str, Any]) -> bool | None:
    """runc's SystemdCgroup in a dump, None where it is not set (schema 2 and 3)."""
    plugins = dumped.get("plugins", {})
    for name in ("io.containerd.cri.v1.runtime", "io.containerd.grpc.v1.cri"):
        node: Any = plugins.get(name)
        for key in ("containerd", "runtimes", "runc", "options", "SystemdCgroup"):
            node = node.get(key) if isinstance(node, dict) else None
        if isinstance(node, bool):
            return node
    return None
