"""How a node is reached, as OpenSSH itself resolves it: the answer of `ssh -G`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class SshHost:
    """Where and as whom to log in; paths are expanded, `proxy` is a ready command line ("" for none)."""

    hostname: str
    port: int = 22
    user: str = ""
    identity_files: tuple[str, ...] = ()
    known_hosts: tuple[str, ...] = ()
    host_key_alias: str = ""
    identities_only: bool = False
    proxy: str = ""


def parse_ssh_g(text: str) -> dict[str, list[str]]:
    """`ssh -G`'s lines "keyword value" as keyword -> values in order; keywords in lower case."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        keyword, _, value = line.strip().partition(" ")
        if keyword and value:
            found.setdefault(keyword.lower(), []).append(value)
    return found


def hop(config: str | None) -> str:
    """How OpenSSH is called for a machine in between: never asking, with the settings' own ssh_config."""
    return f"ssh -o BatchMode=yes{f' -F {config}' if config else ''}"


def jump_command(jump: str, hostname: str, port: int, config: str | None) -> str:
    """The ProxyCommand that OpenSSH makes of a ProxyJump ("a" or "a,b"): ssh to the last hop, through those before."""
    *before, last = jump.split(",")
    user_host, _, hop_port = last.removeprefix("ssh://").partition(":")
    if last.removeprefix("ssh://").count(":") > 1:  # an IPv6 address: no port split
        user_host, hop_port = last.removeprefix("ssh://"), ""
    words = [hop(config), *([f"-J {','.join(before)}"] * bool(before)), *([f"-p {hop_port}"] if hop_port else [])]
    return " ".join([*words, f"-W [{hostname}]:{port}", user_host])


def ssh_host(options: Mapping[str, list[str]], host: str, config: str | None = None) -> SshHost:
    """What parse_ssh_g found, in paramiko's words; `host` counts where the options name none."""

    def first(keyword: str, default: str = "") -> str:
        value = options.get(keyword, [default])[0]
        return "" if value.lower() == "none" else value

    hostname, port, user = first("hostname", host), int(first("port", "22")), first("user")
    proxy = first("proxycommand")
    if proxy:
        for token, value in (("%h", hostname), ("%p", str(port)), ("%r", user), ("%n", host)):
            proxy = proxy.replace(token, value)
    elif first("proxyjump"):
        proxy = jump_command(first("proxyjump"), hostname, port, config)
    return SshHost(
        hostname=hostname,
        port=port,
        user=user,
        identity_files=tuple(_path(value, hostname) for value in options.get("identityfile", []) if value != "none"),
        known_hosts=tuple(
            _path(word, hostname) for value in options.get("userknownhostsfile", []) for word in value.split()
        ),
        host_key_alias=first("hostkeyalias"),
        identities_only=first("identitiesonly") == "yes",
        proxy=proxy,
    )


def _path(value: str, hostname: str) -> str:
    value = value.strip('"').replace("%d", os.path.expanduser("~")).replace("%h", hostname)  # noqa: PTH111
    return str(Path(value).expanduser())
