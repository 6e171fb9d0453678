"""What the kubelet's flags lose with dockershim, and lines of its environment files that are not as they were meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cri_switch.model.finding import Finding
from cri_switch.render.environment_file import check_environment, ignored_lines
from cri_switch.render.kubelet_flags import dropped

_DOCKERS_OWN = frozenset({"docker", "docker-endpoint", "docker-only"})
"""They name or test Docker itself."""


def check_flags_not_carried(text: str, path: str, node: str = "") -> list[Finding]:
    """An error for a network that dockershim made itself, a warning for its other flags that were set by hand.

    Raises: RenderError, as switch_flags does.
    """
    flags = dropped(text, path)
    network = flags.pop("network-plugin", "cni")
    findings = _ignored(text, path, node)
    if network != "cni":
        summary = f"{path}: --network-plugin={network}: dockershim makes the pods' network, and containerd does not"
        remedy = "install a CNI plugin and let the node run with --network-plugin=cni first"
        findings.append(Finding("error", "KubeletNetworkNotCni", summary, node=node, remedy=remedy))
    words = [f"--{name}={value}" for name, value in flags.items() if name not in _DOCKERS_OWN]
    if words:
        findings.append(_not_carried(f"{path}: these go without a successor: {', '.join(words)}", node))
    return findings


def check_environment_file(text: str, path: str, node: str = "") -> list[Finding]:
    """Warnings for lines of another environment file that systemd leaves out.

    Raises: RenderError for a variable that is set twice, and for a quote that is not closed.
    """
    check_environment(text, path)
    return _ignored(text, path, node)


def check_flags_elsewhere(lines: Mapping[str, str], node: str = "") -> list[Finding]:
    """A warning for dockershim's flags that other places than the flags file set: `path: line` by the flag's name."""
    by_hand = [line for name, line in lines.items() if name not in _DOCKERS_OWN | {"network-plugin"}]
    if not by_hand:
        return []
    told = "; ".join(dict.fromkeys(by_hand))
    return [_not_carried(f"flags that only dockershim had, set elsewhere than in the flags file: {told}", node)]


def check_network_of_docker(conf_dir: str, configs: Sequence[str], node: str = "") -> Finding:
    """An error where no CNI plugin is configured, so that no pod would get an address; a warning where one is.

    For a kubelet without `--network-plugin`, as far as it is seen.
    """
    summary = "the kubelet has no --network-plugin: dockershim gives the pods Docker's own bridge, and containerd"
    if not configs:
        summary += f" needs a CNI plugin, of which {conf_dir} has no configuration"
        remedy = "install a CNI plugin and let the node run with --network-plugin=cni first"
        return Finding("error", "KubeletNetworkNotCni", summary, node=node, remedy=remedy)
    summary += f" will go by {', '.join(configs)}"
    remedy = "see that this is the network that the pods have now: ps -o args= -C kubelet; kubectl get pods -A -o wide"
    return Finding("warning", "KubeletNetworkNotCni", summary, node=node, remedy=remedy)


def _ignored(text: str, path: str, node: str) -> list[Finding]:
    return [
        Finding(
            "warning",
            "FlagsFileLineIgnored",
            f"{path}:{line}: systemd leaves this line out: it is not NAME=value",
            node=node,
            remedy="take it out, or write it as it was meant",
        )
        for line in ignored_lines(text)
    ]


def _not_carried(summary: str, node: str) -> Finding:
    remedy = "look whether containerd or the CNI plugin needs the like"
    return Finding("warning", "KubeletFlagNotCarried", summary, node=node, remedy=remedy)
