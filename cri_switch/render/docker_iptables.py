"""Which of a node's iptables rules are Docker's own, and the commands that take exactly these away."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from cri_switch.render.iptables_text import parsed, target

CHAINS = frozenset(
    {
        "DOCKER",
        "DOCKER-USER",
        "DOCKER-ISOLATION-STAGE-1",
        "DOCKER-ISOLATION-STAGE-2",
        "DOCKER-ISOLATION",  # before Docker 17.12
        "DOCKER-FORWARD",  # from 28
        "DOCKER-BRIDGE",
        "DOCKER-CT",
        "DOCKER-INTERNAL",
    }
)
USER_CHAIN = "DOCKER-USER"


@dataclass
class DockerRules:
    """Docker's own part of one `iptables-save`.

    `lines` are the lines of it that go (rules and chain declarations), `removals` the arguments for iptables in an
    order that works, `kept` rules of an administrator in DOCKER-USER: while there is one, that chain and the jump to it
    stay. `forward_drop` says that the policy of FORWARD is DROP and that Docker's chains are there to explain it.
    """

    lines: list[str] = field(default_factory=list)
    removals: list[tuple[str, ...]] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    forward_drop: bool = False


def docker_rules(saved: str) -> DockerRules:
    """Read `iptables-save`.

    A rule outside Docker's chains is Docker's when it jumps to one of Docker's chains, or has one of the exact shapes
    that Docker writes for one of its bridges (docker0, and those that its isolation chains name: br-<id>); whatever
    else names docker0 is the administrator's and stays.
    """
    found = DockerRules()
    rules = list(parsed(saved))
    bridges = docker_bridges(saved)
    ours = {(table, words[1]) for table, _line, words in rules if words[0] == ":" and words[1] in CHAINS}
    found.kept = [line for _table, line, words in rules if _user_rule(words)]
    chains = {chain for chain in ours if not (found.kept and chain == ("filter", USER_CHAIN))}
    declared, deletes = [], []
    for table, line, words in rules:
        if words[0] == ":" and (table, words[1]) in chains:
            found.lines.append(line)
            declared.append((table, words[1]))
        elif words[0] == "-A" and (table, words[1]) in chains:
            found.lines.append(line)  # goes by the flush of its chain
        elif words[0] == "-A" and (table, words[1]) not in ours and _is_dockers(table, words, chains, bridges):
            found.lines.append(line)
            deletes.append(("-t", table, "-D", *words[1:]))
    found.removals = [
        *deletes,
        *(("-t", table, "-F", chain) for table, chain in declared),
        *(("-t", table, "-X", chain) for table, chain in declared),
    ]
    policy = re.search(r"^\*filter$(?:\n(?!COMMIT).*)*?\n:FORWARD (\w+)", saved, re.MULTILINE)
    found.forward_drop = bool(policy and policy[1] == "DROP" and any(table == "filter" for table, _name in ours))
    return found


def docker_bridges(saved: str) -> tuple[str, ...]:
    """docker0 and the links of Docker's other networks, as its first isolation chain names them."""
    named = re.findall(r"^-A DOCKER-ISOLATION-STAGE-1 -i (\S+) ! -o \1 ", saved, re.MULTILINE)
    return tuple(dict.fromkeys(["docker0", *named]))


def _user_rule(words: list[str]) -> bool:
    return words[:2] == ["-A", USER_CHAIN] and words[2:] != ["-j", "RETURN"]


def _is_dockers(table: str, words: list[str], chains: set[tuple[str, str]], bridges: Collection[str]) -> bool:
    if (table, target(words)) in chains:
        return True
    rule = words[1:]
    if table == "filter":
        return any(rule in _forward(bridge) for bridge in bridges)
    if table == "nat" and rule[:2] == ["POSTROUTING", "-s"]:
        return any(rule[3:] == f"! -o {bridge} -j MASQUERADE".split() for bridge in bridges)
    return False


def _forward(bridge: str) -> list[list[str]]:
    shapes = (
        f"FORWARD -o {bridge} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        f"FORWARD -i {bridge} ! -o {bridge} -j ACCEPT",
        f"FORWARD -i {bridge} -o {bridge} -j ACCEPT",
        f"FORWARD -i {bridge} -o {bridge} -j DROP",  # --icc=false
    )
    return [shape.split() for shape in shapes]
