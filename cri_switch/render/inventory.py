"""The nodes of an Ansible or Kubespray inventory: where and as whom each is reached."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from cri_switch.render.ansible_yaml import Vars
from cri_switch.render.errors import RenderError
from cri_switch.render.inventory_groups import Groups

CONTROL_PLANE = frozenset(
    {"kube_control_plane", "kube-master", "kube_master", "control_plane", "masters", "master", "controlplane"}
)
"""Names of the group of control-plane nodes: Kubespray's, new and old, and what others call it."""
WORKERS = frozenset({"kube_node", "kube-node", "k8s_node", "workers", "worker", "nodes", "node"})
CLUSTER = frozenset({"k8s_cluster", "k8s-cluster", "kubernetes"})
_TEMPLATE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_DEPTH = 10


@dataclass(frozen=True)
class InventoryHost:
    """A host; "" is what the inventory does not say. `node` is its name in Kubernetes, `ips` are its own addresses.

    `jump` is OpenSSH's ProxyJump, `proxy` its ProxyCommand, `bastion` the words for `ssh` to Kubespray's bastion;
    `role` is None where no group tells.
    """

    name: str
    node: str
    address: str = ""
    user: str = ""
    port: int | None = None
    identity_file: str = ""
    jump: str = ""
    proxy: str = ""
    bastion: str = ""
    role: str | None = None
    ips: tuple[str, ...] = ()


def hosts_of(groups: Groups, more: Mapping[str, Vars], path: str) -> dict[str, InventoryHost]:
    """The cluster's hosts by the node's name; all hosts where no group is known by its name.

    `more` are variables of `group_vars/NAME` and `host_vars/NAME`, by that path.

    Raises:
        RenderError: a template that only Ansible can resolve, a port that is none.
    """
    members = {name: _members(groups, name) for name in groups}
    everybody = dict.fromkeys(host for found in members.values() for host in found)
    cluster = [host for host in everybody if any(host in members.get(g, ()) for g in CONTROL_PLANE | WORKERS | CLUSTER)]
    bastions = [host for host in everybody if host in members.get("bastion", ())]

    def all_vars(host: str) -> Vars:
        mine = sorted((name for name in groups if host in members[name]), key=lambda name: (_depth(groups, name), name))
        found: Vars = {}
        for name in ["all", *(name for name in mine if name != "all")]:
            found |= groups[name].vars if name in groups else {}
            found |= more.get(f"group_vars/{name}", {})
        for name in mine:
            found |= groups[name].hosts.get(host, {})
        return found | more.get(f"host_vars/{host}", {})

    bastion = _words(_host(bastions[0], all_vars(bastions[0]), path)) if bastions else ""
    answer = {}
    for name in cluster or [host for host in everybody if host not in bastions]:
        through = "" if name in bastions else bastion
        host = _host(name, all_vars(name), path, bastion=through, role=_role(name, members))
        answer[host.node] = host
    return answer


def _members(groups: Groups, name: str, depth: int = 0) -> dict[str, None]:
    """The hosts of a group and of all below it, in the file's order."""
    group = groups.get(name)
    if group is None or depth > _DEPTH:
        return {}
    found = dict.fromkeys(group.hosts)
    for child in group.children:
        found |= _members(groups, child, depth + 1)
    return found


def _depth(groups: Groups, name: str, seen: frozenset[str] = frozenset()) -> int:
    above = [other for other, group in groups.items() if name in group.children and other not in seen]
    return 1 + max((_depth(groups, other, seen | {name}) for other in above), default=0)


def _role(name: str, members: Mapping[str, Collection[str]]) -> str | None:
    if any(name in members.get(group, ()) for group in CONTROL_PLANE):
        return "control-plane"
    return "worker" if any(name in members.get(group, ()) for group in WORKERS) else None


def _host(name: str, given: Vars, path: str, *, bastion: str = "", role: str | None = None) -> InventoryHost:
    def text(*keys: str) -> str:
        value = next((given[key] for key in keys if given.get(key) not in (None, "")), "")
        return _resolved(str(value), given, f"{keys[0]} of {name}", path)

    port = text("ansible_port", "ansible_ssh_port")
    if port and not port.isdigit():
        raise RenderError(path, 0, f"ansible_port of {name} is {port!r}, which is no number")
    words = shlex.split(f"{text('ansible_ssh_common_args')} {text('ansible_ssh_extra_args')}")
    jump, proxy = _option(words, "proxyjump"), _option(words, "proxycommand")
    return InventoryHost(
        name=name,
        node=text("kube_override_hostname") or name,
        address=text("ansible_host", "ansible_ssh_host"),
        user=text("ansible_user", "ansible_ssh_user"),
        port=int(port) if port else None,
        identity_file=text("ansible_ssh_private_key_file", "ansible_private_key_file"),
        jump=jump,
        proxy=proxy,
        bastion="" if jump or proxy else bastion,
        role=role,
        ips=tuple(dict.fromkeys(filter(None, (text("ip"), text("access_ip"))))),
    )


def _resolved(value: str, given: Vars, what: str, path: str) -> str:
    for _ in range(_DEPTH):
        if "{{" not in value and "{%" not in value:
            return value
        names = _TEMPLATE.findall(value)
        if not names or any(name not in given for name in names):
            break
        value = _TEMPLATE.sub(lambda found: str(given[found[1]]), value)
    raise RenderError(
        path, 0, f"{what} is a template that only Ansible can resolve: {value}", next_step="write its value, or use ssh"
    )


def _option(words: Sequence[str], name: str) -> str:
    """The value of an option of OpenSSH's in `-o Name=value`, `-oName=value` or `-o 'Name value'`, or of -J."""
    for number, word in enumerate(words):
        following = words[number + 1] if number + 1 < len(words) else ""
        if name == "proxyjump" and word.startswith("-J"):
            return word[2:] or following
        if word.startswith("-o"):
            key, _, value = re.sub(r"^\s*(\w+)\s*[=\s]\s*", r"\1=", word[2:] or following).partition("=")
            if key.lower() == name:
                return value
    return ""


def _words(bastion: InventoryHost) -> str:
    """Where and as whom to go to the bastion."""
    words = ["-p", str(bastion.port)] if bastion.port else []
    words += ["-i", bastion.identity_file] if bastion.identity_file else []
    where = bastion.address or bastion.name
    return " ".join([*words, f"{bastion.user}@{where}" if bastion.user else where])
