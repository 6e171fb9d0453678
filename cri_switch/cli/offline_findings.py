"""What is found in a copy of a node's files: each file by itself, so that one that is broken hides no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

from cri_switch.checks.files import check_files
from cri_switch.checks.kubelet_flags import check_environment_file, check_flags_elsewhere, check_flags_not_carried
from cri_switch.checks.not_carried import check_not_carried, check_pulls_not_carried
from cri_switch.checks.state import NodeState
from cri_switch.model.errors import FileChanged
from cri_switch.model.finding import Finding
from cri_switch.node.facts.docker_pulls import REGISTRY_CERTS, proxy_not_carried
from cri_switch.node.facts.kubelet import CONFIG, parse_kubelet_config
from cri_switch.node.facts.kubelet_flags import KUBELET_UNIT, environment_files, foreign_flags, kubelet_extra
from cri_switch.node.node_root import NodeRootConnection
from cri_switch.node.planned_files import finding_of
from cri_switch.render.containerd_config import CONFIG_TOML
from cri_switch.render.crictl_yaml import CRICTL_YAML
from cri_switch.render.docker_daemon import DAEMON_JSON, parse_daemon_json
from cri_switch.render.errors import RenderError
from cri_switch.render.hosts_toml import CERTS_D
from cri_switch.render.kubelet_flags import FLAGS_FILE, is_dropped
from cri_switch.render.toml_edit import parse_toml
from cri_switch.render.yaml_text import parse_mapping

INSTANCE_CONFIG = "/var/lib/kubelet/instance-config.yaml"
MANIFESTS = "/etc/kubernetes/manifests"


def copy_findings(connection: NodeRootConnection, containerd_version: str) -> Iterator[Finding]:
    """Files that are not understood, what is in them that nobody carries over, and what cannot be read."""
    node, files = connection.node, connection.files
    yield from _kubelet_findings(connection)
    daemon_json = files.text(DAEMON_JSON)
    yield from _found(node, lambda: check_not_carried(parse_daemon_json(daemon_json), node))
    yield from check_pulls_not_carried(proxy_not_carried(connection), REGISTRY_CERTS.read(connection), node)
    hosts = [f"{CERTS_D}/{host}/hosts.toml" for host in files.names(CERTS_D) or []]
    names = [PurePosixPath(name) for name in files.names(MANIFESTS) or []]
    manifests = [f"{MANIFESTS}/{name}" for name in names if name.suffix in (".yaml", ".yml", ".json")]
    settings = (DAEMON_JSON, CONFIG, INSTANCE_CONFIG, *manifests)
    state = NodeState(
        node,
        os_id="",
        daemon_json=daemon_json,
        config_toml=files.text(CONFIG_TOML),
        crictl_yaml=files.text(CRICTL_YAML),
        settings={path: text for path in settings if (text := files.text(path)) is not None},
        hosts_toml={path: text for path in hosts if (text := files.text(path)) is not None},
        containerd_candidate=containerd_version,
    )
    yield from check_files(state, lambda level, name, what, fix: Finding(level, name, what, node=node, remedy=fix))
    yield from _found(node, parse_kubelet_config, files.text(CONFIG))
    for path in (INSTANCE_CONFIG, *manifests):
        yield from _found(node, parse_mapping, files.text(path), path)
    for path in hosts:
        yield from _found(node, parse_toml, files.text(path) or "", path)
    for path, why in files.refused.items():
        remedy = "copy it so that it can be read, or look at it on the node"
        yield Finding("error", FileChanged.__name__, f"{path} cannot be read: {why}", node=node, remedy=remedy)


def _kubelet_findings(connection: NodeRootConnection) -> Iterator[Finding]:
    """Of all the places that set flags; whether one that is missing sets a network plugin, a copy does not tell."""
    node, files = connection.node, connection.files
    if (text := files.text(FLAGS_FILE)) is not None:
        yield from _found(node, check_flags_not_carried, text, FLAGS_FILE, node)
    unit = KUBELET_UNIT.read(connection)
    for path in environment_files(unit, FLAGS_FILE):
        if (text := files.text(path)) is not None:
            yield from _found(node, check_environment_file, text, path, node)
    elsewhere = foreign_flags(unit, kubelet_extra(unit, FLAGS_FILE).read(connection))
    dropped = {each.name: each.line for each in elsewhere if is_dropped(each.name)}
    yield from check_flags_elsewhere(dropped, node)


def _found(node: str, look: Callable[..., object], *given: object) -> Iterator[Finding]:
    """The findings that a check answers, and that a file is not understood."""
    try:
        answer = look(*given)
    except RenderError as problem:
        yield finding_of(problem, node)
    else:
        yield from answer if isinstance(answer, list) else ()
