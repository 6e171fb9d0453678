"""libcni's cache of one attachment, turned into the CNI DEL calls that give the attachment back."""

from __future__ import annotations

import base64
import json
import posixpath
from dataclasses import dataclass
from typing import Any

LOOPBACK = "cni-loopback"


@dataclass(frozen=True)
class DelCall:
    """One plugin's DEL: its binary's name in the bin directory and the JSON for its stdin."""

    plugin: str
    stdin: str


@dataclass(frozen=True)
class Attachment:
    """One sandbox's place in one network, as the runtime's libcni wrote it down; `calls` are in the order of a DEL."""

    path: str
    container_id: str
    network: str
    ifname: str
    args: tuple[tuple[str, str], ...] = ()
    calls: tuple[DelCall, ...] = ()

    @property
    def loopback(self) -> bool:
        """Whether it is the pod's `lo`, which goes with its network namespace."""
        return self.network == LOOPBACK or posixpath.basename(self.path).startswith(f"{LOOPBACK}-")

    def environment(self, *, netns: str, bin_dir: str) -> tuple[tuple[str, str], ...]:
        """What the CNI specification hands a plugin by its environment; `netns` is "" where it is gone."""
        return (
            ("CNI_COMMAND", "DEL"),
            ("CNI_CONTAINERID", self.container_id),
            ("CNI_NETNS", netns),
            ("CNI_IFNAME", self.ifname),
            ("CNI_PATH", bin_dir),
            ("CNI_ARGS", ";".join(f"{name}={value}" for name, value in self.args)),
        )


def parse_attachment(path: str, text: str) -> Attachment:
    """One file of `<cache>/results/` (kind cniCacheV1, libcni's cachedInfo).

    The plugins are called in reverse order with name, cniVersion, runtimeConfig and, from 0.4.0 on, prevResult put in,
    as libcni's DelNetworkList does (containernetworking/cni, libcni/api.go).

    Raises:
        ValueError: it is not such a file.
    """
    try:
        cached = json.loads(text)
        if cached.get("kind") != "cniCacheV1":
            raise ValueError(f"its kind is {cached.get('kind')!r}")  # noqa: TRY301
        config = json.loads(base64.b64decode(cached["config"], validate=True))
        calls = tuple(_call(plugin, config, cached) for plugin in reversed(config.get("plugins", [config])))
        args = tuple((str(name), str(value)) for name, value in cached.get("cniArgs") or ())
        return Attachment(path, cached["containerId"], cached["networkName"], cached["ifName"], args, calls)
    except (KeyError, TypeError, AttributeError, ValueError) as problem:
        raise ValueError(f"{path} is not a CNI cache file: {problem}") from problem


def _call(plugin: dict[str, Any], config: dict[str, Any], cached: dict[str, Any]) -> DelCall:
    version = str(config.get("cniVersion", "0.1.0"))
    full = {**plugin, "name": config["name"], "cniVersion": version}
    given = cached.get("capabilityArgs") or {}
    wanted = plugin.get("capabilities") or {}
    runtime = {name: given[name] for name, on in wanted.items() if on and name in given}
    if runtime:
        full["runtimeConfig"] = runtime
    if cached.get("result") and _at_least_0_4(version):
        full["prevResult"] = cached["result"]
    return DelCall(str(plugin["type"]), json.dumps(full, separators=(",", ":")))


def _at_least_0_4(version: str) -> bool:
    numbers = [int(part) for part in version.split(".") if part.isdigit()]
    return numbers[:2] >= [0, 4]
