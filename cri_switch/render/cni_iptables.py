"""Which iptables rules CNI plugins made for pods that are gone, and the commands that take exactly these away."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass, field

from cri_switch.render.iptables_text import after, parsed, target

_COMMENT = re.compile(r'(?:[ds]nat )?name: "([^"]*)" id: "([0-9a-f]{64})"')
_PREFIXES = ("CNI-", "CNI-DN-", "CNI-SN-")
_LONGEST = 28
_INSIDE = ("CNI-HOSTPORT-SETMARK", "DNAT")


@dataclass
class StaleRules:
    """Rules whose comment names a sandbox that is gone.

    `found` has (chain, sandbox id) of each, `lines` are all lines that go (rules, and the chains that were the pod's
    own), `removals` the arguments for iptables in an order that works.
    """

    found: list[tuple[str, str]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    removals: list[tuple[str, ...]] = field(default_factory=list)


def stale_rules(saved: str, live: Collection[str]) -> StaleRules:
    """Read `iptables-save`; `live` are the ids of the sandboxes whose rules are in use.

    A rule is a plugin's only when its comment has the plugins' exact form (containernetworking/plugins,
    pkg/utils/utils.go: FormatComment). A pod's own chain is known by its name, a hash of network and sandbox
    (FormatChainName); it stays where a rule is in it, or leads to it, that no plugin writes.
    """
    rules = list(parsed(saved))
    dead = {
        number: pod
        for number, (_table, _line, words) in enumerate(rules)
        if (pod := _pod(words)) and pod[1] not in live
    }
    own = {name for pod in dead.values() for name in pod_chains(*pod)}
    chains = [(table, words[1]) for table, _line, words in rules if words[0] == ":" and words[1] in own]
    for number, (table, _line, words) in enumerate(rules):
        strange = words[0] == "-A" and number not in dead
        if strange and (table, words[1]) in chains and target(words) not in _INSIDE:
            chains.remove((table, words[1]))
        if strange and (table, target(words)) in chains:
            chains.remove((table, target(words)))
    stale = StaleRules([(rules[number][2][1], sandbox) for number, (_network, sandbox) in dead.items()])
    for number, (table, line, words) in enumerate(rules):
        if (table, words[1]) in chains:
            stale.lines.append(line)  # goes by the flush of its chain, or with it
        elif number in dead:
            stale.lines.append(line)
            stale.removals.append(("-t", table, "-D", *words[1:]))
    stale.removals += [("-t", table, verb, chain) for verb in ("-F", "-X") for table, chain in chains]
    return stale


def pod_chains(network: str, sandbox: str) -> tuple[str, ...]:
    """The names of a pod's own chains: bridge's for ipMasq, portmap's for its hostPorts."""
    digest = hashlib.sha512(f"{network}{sandbox}".encode()).hexdigest()
    return tuple(f"{prefix}{digest}"[:_LONGEST] for prefix in _PREFIXES)


def _pod(words: list[str]) -> tuple[str, str] | None:
    """Network and sandbox that a rule's comment names."""
    found = _COMMENT.fullmatch(after(words, "--comment")) if words[0] == "-A" else None
    return (found[1], found[2]) if found else None
