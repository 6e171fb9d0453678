"""Whether the kubelet can be switched: its flags, where they are set, and what its unit needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from cri_switch.checks.kubelet_flags import (
    check_environment_file,
    check_flags_elsewhere,
    check_flags_not_carried,
    check_network_of_docker,
)
from cri_switch.checks.state import NodeState
from cri_switch.model.finding import Finding
from cri_switch.render.errors import RenderError
from cri_switch.render.kubelet_flags import switch_flags

Say = Callable[..., Finding]
_CORRECT = "correct it on the node"


def check_kubelet(state: NodeState, say: Say) -> Iterator[Finding]:
    """Errors for flags that the edit would not reach or not understand, warnings for what stops to apply."""
    if state.kubelet_needs_docker:
        yield say(
            "error",
            "KubeletNeedsDocker",
            f"the kubelet's unit cannot run without Docker: {'; '.join(state.kubelet_needs_docker)}",
            "take that line out of the unit, then: systemctl daemon-reload",
        )
    if state.foreign_flags:
        yield say(
            "error",
            "KubeletFlagElsewhere",
            f"the kubelet gets flags of another runtime elsewhere: {'; '.join(state.foreign_flags)}",
            f"move them to {state.flags_file}, or take them out, then: systemctl daemon-reload",
        )
    for path, text in state.environment_files.items():
        try:
            yield from _said(check_environment_file(text, path), say)
        except RenderError as error:
            yield say("error", "FileNotUnderstood", error.what, error.next_step or _CORRECT)
    yield from _said(check_flags_elsewhere(state.dropped_elsewhere), say)
    if state.network_of_docker:
        yield from _said([check_network_of_docker(state.cni_conf_dir, state.cni_configs)], say)
    yield from _flags_file(state, say)


def _flags_file(state: NodeState, say: Say) -> Iterator[Finding]:
    path, text = state.flags_file, state.flags_text
    if text is None:
        yield say(
            "error",
            "FlagsFileMissing",
            f"{path} is missing, so the kubelet's flags cannot be changed there",
            "set spec.kubelet.flags_file to the file that sets KUBELET_KUBEADM_ARGS (systemctl cat kubelet shows it)",
        )
        return
    try:
        switch_flags(text, endpoint="unix:///x", kubelet_version=state.kubelet_version, path=path)
        yield from _said(check_flags_not_carried(text, path), say)
    except RenderError as error:
        yield say("error", "FlagsFileUnreadable", error.what, error.next_step or _CORRECT)


def _said(findings: Iterable[Finding], say: Say) -> Iterator[Finding]:
    """As the node's own."""
    for each in findings:
        yield say(each.level, each.name, each.summary, each.remedy)
