"""The registry part of containerd's config.toml: tables below 1.5, a directory of hosts.toml files from then on."""

from __future__ import annotations

from typing import Any

from cri_switch.render.errors import RenderError
from cri_switch.render.hosts_toml import CERTS_D
from cri_switch.render.registries import DOCKER_HUB, UPSTREAM, Registries
from cri_switch.render.toml_edit import look_up, parse_toml
from cri_switch.render.toml_lines import Key

_TRANSFER: Key = ("plugins", "io.containerd.transfer.v1.local", "config_path")
_PLUGINS = ("io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images")


def reads_hosts_toml(text: str) -> bool:
    """Whether a config.toml has containerd read /etc/containerd/certs.d, so that hosts_files count."""
    data = parse_toml(text, "config.toml")
    paths = [str(look_up(data, ("plugins", name, "registry", "config_path"), "")) for name in _PLUGINS]
    return any(CERTS_D in path.split(":") for path in paths)


def registry_edits(
    data: dict[str, Any], registry: Key, registries: Registries, release: tuple[int, int], path: str
) -> dict[Key, Any]:
    """The keys to set below `registry`; none where there is nothing to say.

    From 1.5 config_path, unless old tables have content: the CRI plugin refuses both together (peers 21), so these
    are continued. 2.x does not heed them any more: RenderError.
    """
    if not registries:
        return {}
    tables = _has_tables(data, registry)
    config_path = str(look_up(data, (*registry, "config_path"), ""))
    if tables and config_path:
        raise RenderError(
            path,
            0,
            "registry has config_path and mirrors or tls tables; containerd's CRI plugin refuses both together",
            next_step=f"move the tables of {path} into {config_path}",
        )
    if tables and release >= (2, 0):
        raise RenderError(
            path,
            0,
            f"registry.mirrors and registry.configs tls are not heeded by containerd {release[0]}.{release[1]}",
            next_step=f"move them into {CERTS_D}/HOST/hosts.toml",
        )
    if release < (1, 5) or tables:
        return _tables(data, registry, registries, ("http", "https") if release < (1, 4) else ("https", "http"))
    paths = [one for one in config_path.split(":") if one]
    wanted: dict[Key, Any] = {(*registry, "config_path"): ":".join(paths if CERTS_D in paths else [*paths, CERTS_D])}
    if release >= (2, 0) and not look_up(data, _TRANSFER):
        wanted[_TRANSFER] = CERTS_D
    return wanted


def _has_tables(data: dict[str, Any], registry: Key) -> bool:
    configs = look_up(data, (*registry, "configs"), {})
    return bool(look_up(data, (*registry, "mirrors"))) or any(look_up(configs, (host, "tls")) for host in configs)


def _tables(data: dict[str, Any], registry: Key, registries: Registries, schemes: tuple[str, str]) -> dict[Key, Any]:
    """An insecure host by both schemes, https without verifying, as Docker asks it: containerd adds none by itself
    where one is named, and goes on to the next where the first does not answer (not so 1.3: containerd pull 3868).
    """
    wanted: dict[Key, Any] = {}
    mirrors: Key = (*registry, "mirrors")
    if registries.mirrors:
        present = look_up(data, (*mirrors, DOCKER_HUB, "endpoint"), [])
        others = [one for one in present if one not in (*registries.mirrors, UPSTREAM)]
        wanted[*mirrors, DOCKER_HUB, "endpoint"] = [*registries.mirrors, *others, UPSTREAM]
    for host in registries.insecure:
        present = look_up(data, (*mirrors, host, "endpoint"), [])
        both = [f"{scheme}://{host}" for scheme in schemes]
        wanted[*mirrors, host, "endpoint"] = [*both, *(one for one in present if one not in both)]
        wanted[*registry, "configs", host, "tls", "insecure_skip_verify"] = True
    return wanted
