"""Whether the files that a migration edits can be edited: the edits themselves, tried before anything is touched."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from cri_switch.checks.state import NodeState
from cri_switch.model.finding import Finding
from cri_switch.render.containerd_config import ContainerdWish, configure_containerd
from cri_switch.render.crictl_yaml import crictl_yaml
from cri_switch.render.docker_daemon import parse_daemon_json
from cri_switch.render.errors import RenderError
from cri_switch.render.registries import Registries, registries_of
from cri_switch.render.version import major_minor


def check_files(state: NodeState, say: Callable[..., Finding]) -> Iterator[Finding]:
    """An error for a config.toml or crictl.yaml that is not understood by containerd's version or by the edits."""
    try:
        registries = registries_of(parse_daemon_json(state.daemon_json))
    except RenderError:
        registries = Registries()  # told by the check of Docker's settings
    version = state.containerd_candidate
    edits: list[Callable[[], str]] = [lambda: crictl_yaml(state.crictl_yaml, "unix:///x")]
    if (major_minor(version) or (0, 0)) >= (1, 3):
        wish = ContainerdWish(version, sandbox_image="", systemd_cgroup=False, registries=registries)
        edits.append(lambda: configure_containerd(state.config_toml, wish))
    for edit in edits:
        try:
            edit()
        except RenderError as problem:
            yield say("error", "FileNotUnderstood", problem.what, problem.next_step or "correct it on the node")
