"""What containerd takes from a config.toml, as its releases were seen to take it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import Any

CRI = "io.containerd.grpc.v1.cri"
_V3 = ("io.containerd.cri.v1.runtime", "io.containerd.cri.v1.images")


class BadConfig(Exception):
    """containerd refuses the file."""


@dataclass(frozen=True)
class Settings:
    """What of it matters to a kubelet."""

    cri: bool = True
    sandbox_image: str = "k8s.gcr.io/pause:3.2"
    bin_dir: str = "/opt/cni/bin"
    conf_dir: str = "/etc/cni/net.d"
    systemd_cgroup: bool = False


def default_pause(version: tuple[int, int]) -> str:
    """The pause image where the file names none."""
    return {(1, 4): "k8s.gcr.io/pause:3.2", (1, 5): "k8s.gcr.io/pause:3.5"}.get(version, "registry.k8s.io/pause:3.6")


def understand(text: str | None, version: tuple[int, int]) -> Settings:
    """Read it. Raises BadConfig in containerd's words."""
    try:
        data = tomllib.loads(text or "")
    except tomllib.TOMLDecodeError as problem:
        raise BadConfig(f"containerd: Near line 1 (last key parsed ''): {problem}") from problem
    schema = data.get("version", 1)
    newest = 2 if version < (2, 0) else 3
    if not isinstance(schema, int) or not 1 <= schema <= newest:
        raise BadConfig(f"containerd: expected containerd config version `{newest}`, got `{schema}`")
    disabled = data.get("disabled_plugins") or []
    names = {1: {"cri", CRI}, 2: {CRI}, 3: {CRI, *_V3}}[schema]
    if schema == 1:
        newer = [name for name in data.get("plugins") or {} if str(name).startswith("io.containerd.")]
        if newer:
            raise BadConfig(f"containerd: config version 1 has plugins in names of version 2: {newer[0]}")
    plugins: dict[str, Any] = data.get("plugins") or {}
    cri = plugins.get({1: "cri", 2: CRI, 3: _V3[0]}[schema]) or {}
    images = plugins.get(_V3[1]) or {} if schema == 3 else cri
    cni = cri.get("cni") or {}
    runc = (((cri.get("containerd") or {}).get("runtimes") or {}).get("runc") or {}).get("options") or {}
    pause = (images.get("pinned_images") or {}).get("sandbox") if schema == 3 else cri.get("sandbox_image")
    return Settings(
        cri=not names & set(disabled),
        sandbox_image=str(pause or default_pause(version)),
        bin_dir=str((cni.get("bin_dirs") or [cni.get("bin_dir") or "/opt/cni/bin"])[0]),
        conf_dir=str(cni.get("conf_dir") or "/etc/cni/net.d"),
        systemd_cgroup=bool(runc.get("SystemdCgroup", cri.get("systemd_cgroup", False))),
    )
