"""containerd's config.toml as the kubelet needs it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cri_switch.render.containerd_registry import registry_edits
from cri_switch.render.containerd_schema import (
    CRI,
    CRI_IMAGES,
    CRI_NAMES,
    CRI_RUNTIME,
    newest_plain,
    schema_of,
    to_schema_2,
    uri,
    with_version,
)
from cri_switch.render.errors import RenderError
from cri_switch.render.registries import Registries
from cri_switch.render.toml_edit import edit_toml, line_of, look_up, parse_toml, texts_only
from cri_switch.render.toml_lines import Key
from cri_switch.render.version import major_minor

CONFIG_TOML = "/etc/containerd/config.toml"
_RUNC = "io.containerd.runc.v2"
_LINUX_V1 = "io.containerd.runtime.v1.linux"


@dataclass(frozen=True)
class ContainerdWish:
    """What config.toml must say. `version` is containerd's own ("1.4.13"); an empty `sandbox_image` is left alone."""

    version: str
    sandbox_image: str
    systemd_cgroup: bool
    bin_dir: str = "/opt/cni/bin"
    conf_dir: str = "/etc/cni/net.d"
    registries: Registries = field(default_factory=Registries)


def configure_containerd(text: str | None, wish: ContainerdWish, path: str = CONFIG_TOML) -> str:
    """The file's text with the wish fulfilled (None: no file); unchanged where it is already.

    The CRI plugin is on, pause image, CNI directories, runc's cgroup driver and registries are set; comments, order
    and foreign keys stay. Schema 1 becomes schema 2, schema 2 stays (2.x reads it), a new file for 2.x gets schema 3.

    Raises: RenderError for a text that is not TOML, a schema that this containerd cannot read, or what cannot be
    changed safely; the file is then as it was.
    """
    release = major_minor(wish.version)
    if release is None or release < (1, 3):
        raise RenderError(path, 0, f"containerd {wish.version!r} is too old or not known: 1.3 is the oldest")
    if text is None or not text.strip():
        text = f"# Written by cri-switch\nversion = {newest_plain(release)}\n"
    text, schema = _modern(text, release, path)
    data = parse_toml(text, path)
    wanted: dict[Key, Any] = {}
    unwanted: list[Key] = []
    _enable(data, wanted)
    runtime, images = (CRI, CRI) if schema == 2 else (CRI_RUNTIME, CRI_IMAGES)
    pause: Key = ("sandbox_image",) if schema == 2 else ("pinned_images", "sandbox")
    if wish.sandbox_image:
        wanted["plugins", images, *pause] = wish.sandbox_image
    _cni(data, ("plugins", runtime, "cni"), wish, release, wanted, unwanted)
    _cgroups(data, ("plugins", runtime), wish.systemd_cgroup, wanted, path)
    unwanted.append(("plugins", runtime, "systemd_cgroup"))
    wanted.update(registry_edits(data, ("plugins", images, "registry"), wish.registries, release, path))
    return edit_toml(text, wanted, unwanted, path)


def _modern(text: str, release: tuple[int, int], path: str) -> tuple[str, int]:
    data = parse_toml(text, path)
    for name in ("disabled_plugins", "required_plugins", "imports"):
        if not texts_only(data.get(name, [])):
            raise RenderError(path, line_of(text, name), f"{name} is not a list of strings")
    schema = schema_of(text, release, path)
    if schema == 1:
        bare = not data.get("plugins")
        text = text if bare else to_schema_2(text, path)
        schema = newest_plain(release) if bare else 2
        edits: dict[Key, Any] = {
            (name,): [uri(one, path) for one in data[name] if one and one not in CRI_NAMES - {"cri"}]
            for name in ("disabled_plugins", "required_plugins")
            if data.get(name)
        }
        if "version" in data:
            edits["version",] = schema
        else:
            text = with_version(text, schema)
        text = edit_toml(text, edits, [], path)
    if schema == 2 and release >= (2, 3):
        raise RenderError(
            path, 0, "schema 2 has no bin_dirs, which containerd 2.3 needs", next_step="containerd config migrate"
        )
    return text, schema


def _enable(data: dict[str, Any], wanted: dict[Key, Any]) -> None:
    if disabled := data.get("disabled_plugins", []):
        wanted[("disabled_plugins",)] = [name for name in disabled if name and name not in CRI_NAMES]


def _cni(
    data: dict[str, Any],
    cni: Key,
    wish: ContainerdWish,
    release: tuple[int, int],
    wanted: dict[Key, Any],
    unwanted: list[Key],
) -> None:
    present = look_up(data, (*cni, "bin_dirs"))
    if release >= (2, 1) and (cni[1] == CRI_RUNTIME or present):
        wanted[*cni, "bin_dirs"] = [wish.bin_dir, *(one for one in present or [] if one != wish.bin_dir)]
        unwanted.append((*cni, "bin_dir"))
    else:
        wanted[*cni, "bin_dir"] = wish.bin_dir
    wanted[*cni, "conf_dir"] = wish.conf_dir


def _cgroups(data: dict[str, Any], cri: Key, systemd: bool, wanted: dict[Key, Any], path: str) -> None:
    runtimes: Key = (*cri, "containerd", "runtimes")
    old: Key = (*cri, "containerd", "default_runtime")
    if look_up(data, (*old, "runtime_type")) == _LINUX_V1:
        raise RenderError(
            path,
            0,
            f"containerd.default_runtime is of the type {_LINUX_V1}, which knows no cgroup driver of the kubelet's",
            next_step=f"in {path}: make it {_RUNC}, or delete the table default_runtime",
        )
    wanted[*runtimes, "runc", "runtime_type"] = _RUNC
    wanted[*runtimes, "runc", "options", "SystemdCgroup"] = systemd
    names: list[Key] = [(*runtimes, name) for name in look_up(data, runtimes, {})]
    for table in [*names, old]:
        if str(look_up(data, (*table, "runtime_type"), "")).startswith("io.containerd.runc."):
            wanted[*table, "options", "SystemdCgroup"] = systemd
