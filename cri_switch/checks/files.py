"""Whether the files that a migration edits can be edited: the edits themselves, tried before anything is touched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache

from cri_switch.checks.state import NodeState
from cri_switch.model.finding import Finding
from cri_switch.render.containerd_config import ContainerdWish, configure_containerd
from cri_switch.render.containerd_registry import reads_hosts_toml
from cri_switch.render.crictl_yaml import crictl_yaml
from cri_switch.render.docker_daemon import parse_daemon_json
from cri_switch.render.duplicate_keys import DuplicateKey, in_json, in_yaml
from cri_switch.render.errors import RenderError
from cri_switch.render.hosts_toml import CERTS_D, hosts_files, ours
from cri_switch.render.registries import Registries, registries_of
from cri_switch.render.version import major_minor

_TEXTS = 64
"""Of each kind that are remembered: a thousand nodes have a few different ones."""


def check_files(state: NodeState, say: Callable[..., Finding]) -> Iterator[Finding]:
    """An error for a config.toml or crictl.yaml that is not understood by containerd's version or by the edits,
    warnings for keys that are set twice and for a hosts.toml that is left alone.
    """
    for path, text in state.settings.items():
        for twice in _set_twice(text, json=path.endswith(".json")):
            yield say(
                "warning",
                "DuplicateKey",
                f"{path}:{twice.line}: {twice.key} is set again, first in line {twice.first}: the last one counts",
                "leave one of them",
            )
    try:
        registries = registries_of(parse_daemon_json(state.daemon_json))
    except RenderError:
        registries = Registries()  # told by the check of Docker's settings
    try:
        _edited_crictl_yaml(state.crictl_yaml)
    except RenderError as problem:
        yield _not_understood(problem, say)
    version = state.containerd_candidate
    if (major_minor(version) or (0, 0)) < (1, 3):
        return
    wish = ContainerdWish(version, sandbox_image="", systemd_cgroup=False, registries=registries)
    try:
        by_hosts_toml = _edited_reads_hosts_toml(state.config_toml, wish)
    except RenderError as problem:
        yield _not_understood(problem, say)
        return
    for name, wanted in (hosts_files(registries) if by_hosts_toml else {}).items():
        present = state.hosts_toml.get(f"{CERTS_D}/{name}", wanted)
        if present != wanted and not ours(present):
            yield say(
                "warning",
                "HostsTomlKept",
                f"{CERTS_D}/{name} is an administrator's own and stays: daemon.json's settings are not put into it",
                "compare it with registry-mirrors and insecure-registries in daemon.json",
            )


@lru_cache(maxsize=_TEXTS)
def _set_twice(text: str, *, json: bool) -> tuple[DuplicateKey, ...]:
    return tuple(in_json(text) if json else in_yaml(text))


@lru_cache(maxsize=_TEXTS)
def _edited_crictl_yaml(text: str | None) -> str:
    return crictl_yaml(text, "unix:///x")


@lru_cache(maxsize=_TEXTS)
def _edited_reads_hosts_toml(text: str | None, wish: ContainerdWish) -> bool:
    """Whether containerd reads hosts.toml files by the edited config.toml. Raises RenderError, each time anew."""
    return reads_hosts_toml(configure_containerd(text, wish))


def _not_understood(problem: RenderError, say: Callable[..., Finding]) -> Finding:
    return say("error", "FileNotUnderstood", problem.what, problem.next_step or "correct it on the node")
