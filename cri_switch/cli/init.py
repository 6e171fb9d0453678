"""`cri-switch init`: looks at the kubeconfig, the API and ssh's configuration, and writes a settings file."""

from __future__ import annotations

import getpass
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cri_switch.cli import talk
from cri_switch.cluster.client import Cluster
from cri_switch.cluster.inventory import inventory
from cri_switch.model.errors import ApiError, SettingsError, Unreachable
from cri_switch.model.migration import ClusterAccess, Ssh
from cri_switch.model.node_ref import NodeRef
from cri_switch.model.private_file import write_private
from cri_switch.model.settings_file import parse_migration
from cri_switch.node.host_keys import known_as, known_keys
from cri_switch.node.resolve import resolve
from cri_switch.render.settings_text import Found, Way, about, migration_name, settings_text

STDOUT = "-"


@dataclass(frozen=True)
class Wish:
    """What was asked for on the command line; "" is not given."""

    file: str = "migration.yaml"
    kubeconfig: str = ""
    context: str = ""
    name: str = ""
    user: str = ""
    ssh_config: str = ""
    inventory: str = ""
    force: bool = False


def init(wish: Wish) -> None:
    """Write the file, or to stdout for `-`; nothing else is touched.

    Raises:
        SettingsError: the file is there already (and no --force), or kubeconfig or inventory cannot be used.
    """
    target = Path(wish.file)
    if wish.file != STDOUT and os.path.lexists(target) and not wish.force:
        raise SettingsError(
            f"{target} is there already",
            state="nothing was written",
            next_step=f"cri-switch init -f OTHER, or --force to write over it, or: cri-switch preflight -f {target}",
        )
    found = look(wish)
    text = settings_text(found)
    parse_migration(text, target if wish.file != STDOUT else Path("migration.yaml"))  # what is written can be used
    if wish.file == STDOUT:
        sys.stdout.write(text)
        return
    try:
        write_private(target, text)
    except OSError as problem:
        raise SettingsError(f"{target} cannot be written: {problem.strerror}") from problem
    sys.stdout.write(f"{target}\n")
    for line in about(found):
        talk.say(line)
    talk.say(f"next: read it, then: cri-switch preflight -f {target}")


def look(wish: Wish) -> Found:
    """Everything that can be found out without changing anything."""
    kubeconfig = Path(wish.kubeconfig or os.environ.get("KUBECONFIG", "").split(":")[0] or "~/.kube/config")
    kubeconfig = kubeconfig.expanduser().absolute()
    context, server = _context(kubeconfig, wish.context)
    ssh = Ssh(
        user=wish.user,
        **({"config_file": _absolute(wish.ssh_config)} if wish.ssh_config else {}),
        inventory=_absolute(wish.inventory) if wish.inventory else None,
    )
    nodes, problem = _nodes(ClusterAccess(kubeconfig=str(kubeconfig), context=wish.context or None))
    return Found(
        name=migration_name(wish.name or context),
        kubeconfig=str(kubeconfig),
        context=wish.context,
        server=server,
        user=wish.user,
        config_file=_absolute(wish.ssh_config) if wish.ssh_config else "",
        inventory=ssh.inventory or "",
        nodes=nodes,
        ways=[_way(node, ssh) for node in nodes[:200]],
        problem=problem,
    )


def _nodes(access: ClusterAccess) -> tuple[list[NodeRef], str]:
    """The nodes, or why the API did not tell them."""
    try:
        return inventory(Cluster.open(access)), ""
    except (ApiError, Unreachable) as problem:
        talk.say(f"warning: {problem.what}", "yellow")
        return [], problem.what


def _way(node: NodeRef, ssh: Ssh) -> Way:
    host = resolve(node, ssh)
    keys = known_keys(host.known_hosts)
    names = [host.host_key_alias] if host.host_key_alias else [host.hostname, node.name, node.address]
    known = any(keys.lookup(known_as(name, host.port)) is not None for name in names if name)
    jump = re.sub(r".*-W \S+ ", "", host.proxy)
    return Way(node.name, host.user or getpass.getuser(), host.hostname, host.port, known, jump)


def _context(kubeconfig: Path, wanted: str) -> tuple[str, str]:
    """The context's name and its server's address. Raises SettingsError."""

    def refused(why: str) -> SettingsError:
        return SettingsError(
            f"kubeconfig {kubeconfig}: {why}",
            state="nothing was written",
            next_step="cri-switch init --kubeconfig FILE",
        )

    try:
        document: Any = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
        name = wanted or document["current-context"]
        contexts = {each["name"]: each["context"] for each in document["contexts"]}
        clusters = {each["name"]: each["cluster"] for each in document["clusters"]}
        return str(name), str(clusters[contexts[name]["cluster"]]["server"])
    except OSError as problem:
        raise refused(problem.strerror or str(problem)) from problem
    except KeyError as problem:
        raise refused(f"has no {problem}") from problem
    except (yaml.YAMLError, TypeError, UnicodeDecodeError) as problem:
        raise refused("is no kubeconfig") from problem


def _absolute(path: str) -> str:
    return str(Path(path).expanduser().absolute())
