"""Whether the files that a migration edits can be edited: the edits themselves, tried before anything is touched."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from cri_switch.checks.state import NodeState
from cri_switch.model.finding import Finding
from cri_switch.render.containerd_config import ContainerdWish, configure_containerd
from cri_switch.render.containerd_registry import reads_hosts_toml
from cri_switch.render.crictl_yaml import crictl_yaml
from cri_switch.render.docker_daemon import parse_daemon_json
from cri_switch.render.duplicate_keys import in_json, in_yaml
from cri_switch.render.errors import RenderError
from cri_switch.render.hosts_toml import CERTS_D, hosts_files, ours
from cri_switch.render.registries import Registries, registries_of
from cri_switch.render.version import major_minor


def check_files(state: NodeState, say: Callable[..., Finding]) -> Iterator[Finding]:
    """An error for a config.toml or crictl.yaml that is not understood by containerd's version or by the edits,
    warnings for keys that are set twice and for a hosts.toml that is left alone.
    """
    for path, text in state.settings.items():
        for twice in in_json(text) if path.endswith(".json") else in_yaml(text):
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
        crictl_yaml(state.crictl_yaml, "unix:///x")
    except RenderError as problem:
        yield _not_understood(problem, say)
    version = state.containerd_candidate
    if (major_minor(version) or (0, 0)) < (1, 3):
        return
    wish = ContainerdWish(version, sandbox_image="", systemd_cgroup=False, registries=registries)
    try:
        config = configure_containerd(state.config_toml, wish)
    except RenderError as problem:
        yield _not_understood(problem, say)
        return
    for name, wanted in (hosts_files(registries) if reads_hosts_toml(config) else {}).items():
        present = state.hosts_toml.get(f"{CERTS_D}/{name}", wanted)
        if present != wanted and not ours(present):
            yield say(
                "warning",
                "HostsTomlKept",
                f"{CERTS_D}/{name} is an administrator's own and stays: daemon.json's settings are not put into it",
                "compare it with registry-mirrors and insecure-registries in daemon.json",
            )


def _not_understood(problem: RenderError, say: Callable[..., Finding]) -> Finding:
    return say("error", "FileNotUnderstood", problem.what, problem.next_step or "correct it on the node")
