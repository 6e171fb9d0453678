"""A settings file to begin with, with comments: what was found about the cluster is in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cri_switch.model.node_ref import NodeRef
from cri_switch.render.visible import visible


@dataclass(frozen=True)
class Way:
    """How a node would be reached; `key_known` says that its host key is in known_hosts."""

    node: str
    user: str
    host: str
    port: int
    key_known: bool
    jump: str = ""

    def __str__(self) -> str:
        return f"{self.user}@{self.host} port {self.port}" + (f" by {self.jump}" if self.jump else "")


@dataclass(frozen=True)
class Found:
    """What `init` found out; `nodes` is empty where the API did not answer (`problem`), "" is not to be written."""

    name: str
    kubeconfig: str
    context: str = ""
    server: str = ""
    user: str = ""
    config_file: str = ""
    inventory: str = ""
    backup: str = "cri-switch-backup"
    nodes: Sequence[NodeRef] = ()
    ways: Sequence[Way] = field(default_factory=tuple)
    problem: str = ""


def migration_name(text: str) -> str:
    """A kubeconfig's context as a name for deployments: `kubernetes-admin@prod.example` is `prod-example`."""
    plain = re.sub(r"[^a-z0-9]+", "-", text.rpartition("@")[2].lower()).strip("-")[:63].strip("-")
    return plain or "cluster"


def settings_text(found: Found) -> str:
    """The whole file."""
    lines = [
        "# Settings of cri-switch. Every setting with its meaning and default: docs/settings.md.",
        *(f"# {' '.join(visible(line).split())}" for line in about(found)),
        "apiVersion: cri-switch/v1alpha1",
        "kind: Migration",
        "metadata:",
        f"  name: {found.name}    # the deployments are called plan-cluster/{found.name}, migrate-cluster/{found.name}",
        "spec:",
        "  cluster:",
        f"    kubeconfig: {_text(found.kubeconfig)}    # an account with the rights of deployments/rbac.yaml is enough",
        *([f"    context: {_text(found.context)}"] if found.context else []),
        "  ssh:",
        *_ssh(found),
        "  # nodes:",
        f"  #   limit: [{_example(found)}]    # only these (names or globs); exclude: not these",
        "  drain:    # kubectl drain's flags under kubectl's names",
        "    delete_emptydir_data: false    # true once you know that what is in emptyDir volumes may go",
        "    timeout: 600",
        "  backup:    # etcd snapshot, PKI, the files that are edited",
        f"    directory: {_text(found.backup)}    # a directory below it is made per run, mode 0700",
        "    acknowledge_not_backed_up: false    # volumes and hostPath data are not in it: true says that you know",
        "  max_unavailable: 1    # workers out of service at once: a number or a percentage; the first one is alone",
        "  max_failures: 0    # failed nodes after which no new node is started",
        "  remove_docker: after_migration    # or after_node, or never; removed, never purged",
        "  approval: none    # or after_canary, before_control_plane, both: waits for a person's yes",
        "  # window: {days: [sat, sun], start: '22:00', end: '04:00', timezone: Europe/Berlin}",
    ]
    return "\n".join(lines) + "\n"


def about(found: Found) -> Iterator[str]:
    """What was found, a line each."""
    if found.problem:
        yield f"The API did not answer when this was written: {found.problem.splitlines()[0]}"
        return
    planes = [node.name for node in found.nodes if node.role == "control-plane"]
    runtimes = sorted({node.runtime.partition("://")[0] or "unknown" for node in found.nodes})
    versions = sorted({node.kubelet_version for node in found.nodes})
    yield f"Found at {found.server}: {len(found.nodes)} nodes, {len(planes)} of them control plane"
    yield f"({', '.join(planes)}); kubelets {', '.join(versions)}; runtimes {', '.join(runtimes)}."
    if len(planes) == 1:
        yield f"{planes[0]} is the only control-plane node: the API is away for a minute or two while it is switched."
    todo = [node.name for node in found.nodes if node.runtime.startswith("docker://")]
    yield f"{len(todo)} nodes run Docker." if todo else "No node runs Docker: there is nothing to switch."
    unknown = [way.node for way in found.ways if not way.key_known]
    if unknown:
        yield f"No host key is known for {len(unknown)} nodes ({', '.join(unknown[:4])}{' ...' * (len(unknown) > 4)}):"
        yield "ssh to them once, or ssh-keyscan and compare, or host_keys: accept-new."


def _ssh(found: Found) -> Iterator[str]:
    for way in found.ways[:3]:
        yield f"    # {way.node}: {way}"
    if len(found.ways) > 3:
        yield f"    # and {len(found.ways) - 3} more: cri-switch preflight tries them all"
    if found.user:
        yield f"    user: {_text(found.user)}    # with deployments/sudoers"
    else:
        yield "    # user: ops    # with deployments/sudoers; by default what ssh_config says"
    yield f"    config_file: {_text(found.config_file)}" if found.config_file else "    # config_file: ~/.ssh/config"
    if found.inventory:
        yield f"    inventory: {_text(found.inventory)}"
    else:
        yield "    # inventory: hosts.yaml    # of Ansible or Kubespray: addresses, users, ports, keys, jumps"
    yield "    host_keys: strict    # accept-new learns unknown hosts; a changed key is always refused"


def _example(found: Found) -> str:
    return next((node.name for node in found.nodes if node.role == "worker"), "w1")


def _text(value: str) -> str:
    """A YAML scalar: bare where that is safe."""
    return value if re.fullmatch(r"[A-Za-z/~][A-Za-z0-9/._@~-]*", value) else json.dumps(value)
