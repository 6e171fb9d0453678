"""The rules of one iptables family, as iptables-save shows them and iptables changes them."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

BUILT_IN = {
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
    "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
}
NO_CHAIN = "iptables: No chain/target/match by that name."
NO_RULE = "iptables: Bad rule (does a matching rule exist in that chain?)."


class Firewall:
    """Tables of chains of rules; a rule is its words without the chain.

    `at_boot` are the tables that the kernel has from the start; another is there once it is used.
    """

    def __init__(self, at_boot: Iterable[str] = tuple(BUILT_IN)) -> None:
        self.tables: dict[str, dict[str, list[list[str]]]] = {}
        self.policies: dict[tuple[str, str], str] = {}
        self._at_boot = frozenset(at_boot)
        self._there: set[str] = set()
        for table in BUILT_IN:
            self.flush_all(table)

    def flush_all(self, table: str) -> None:
        """As after a boot."""
        self.tables[table] = {chain: [] for chain in BUILT_IN[table]}
        self._there = set(self._at_boot)
        self.policies |= {(table, chain): "ACCEPT" for chain in BUILT_IN[table]}

    def use(self, table: str) -> None:
        """Asking for it is enough for the kernel to have a table."""
        self._there.add(table)

    def chain(self, table: str, name: str) -> list[list[str]]:
        """A chain's rules; made where there is none."""
        return self.tables[table].setdefault(name, [])

    def add(self, table: str, line: str, *, first: bool = False) -> None:
        """`CHAIN rule...`, once."""
        name, *words = shlex.split(line)
        rules = self.chain(table, name)
        if words not in rules:
            rules.insert(0 if first else len(rules), words)

    def drop_where(self, table: str, chain: str, mark: str) -> None:
        """Take every rule of a chain away one of whose words contains a text."""
        rules = self.tables[table].get(chain, [])
        rules[:] = [rule for rule in rules if not any(mark in word for word in rule)]

    def drop_chain(self, table: str, name: str) -> None:
        """A chain and its rules, where it is there."""
        self.tables[table].pop(name, None)

    def save(self) -> str:
        """iptables-save."""
        lines: list[str] = []
        for table, chains in self.tables.items():
            if table not in self._there:
                continue
            lines.append(f"*{table}")
            lines += [f":{name} {self.policies.get((table, name), '-')} [0:0]" for name in chains]
            lines += [f"-A {name} {_text(rule)}" for name, rules in chains.items() for rule in rules]
            lines.append("COMMIT")
        return "".join(f"{line}\n" for line in lines)

    def change(self, words: Sequence[str]) -> str:
        """`[-t TABLE] -A|-I|-D|-F|-X|-N|-P CHAIN ...`; "" or iptables' refusal."""
        given = list(words)
        table = "filter"
        if given[:1] == ["-t"]:
            table, given = given[1], given[2:]
        self.use(table)
        verb, name, *rule = given
        chains = self.tables[table]
        if verb == "-N":
            chains.setdefault(name, [])
            return ""
        if name not in chains:
            return "iptables: Bad built-in chain name." if verb == "-P" else NO_CHAIN
        return self._change(verb, table, name, rule)

    def _change(self, verb: str, table: str, name: str, rule: list[str]) -> str:
        chains = self.tables[table]
        match verb:
            case "-P":
                self.policies[table, name] = rule[0]
            case "-A":
                chains[name].append(rule)
            case "-I":
                chains[name].insert(0, rule)
            case "-F":
                chains[name].clear()
            case "-D":
                if rule not in chains[name]:
                    return NO_RULE
                chains[name].remove(rule)
            case "-X":
                if chains[name] or self._jumps(table, name):
                    return "iptables: Too many links."
                del chains[name]
            case _:
                raise ValueError(f"iptables {verb}")
        return ""

    def _jumps(self, table: str, name: str) -> bool:
        return any(_target(rule) == name for rules in self.tables[table].values() for rule in rules)


def _target(rule: Sequence[str]) -> str:
    return rule[rule.index("-j") + 1] if "-j" in rule[:-1] else ""


def _text(rule: Iterable[str]) -> str:
    return " ".join(_quoted(word) for word in rule)


def _quoted(word: str) -> str:
    if word and not any(c in word for c in ' "'):
        return word
    escaped = word.replace('"', '\\"')
    return f'"{escaped}"'
