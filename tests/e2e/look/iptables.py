"""iptables-save, taken apart: what is Docker's, what changes by itself, and what is left is the administrator's."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

_MOVING = ("KUBE-", "CNI-")  # kube-proxy's, the kubelet's and the CNI plugins' own, which come and go with pods
_DOCKERS = ("DOCKER",)
_BUILT_IN = ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING")


def lasting(saved: str) -> list[str]:
    """Every line that should stay as it is, in order, with its table in front; policies and counters are apart."""
    return [f"{table} {line}" for table, line, words in _lines(saved) if not _is_of(words, _MOVING)]


def without_docker(saved: str) -> list[str]:
    """The same, minus Docker's own chains, the jumps into them and the rules for docker0 (node.md B, to the letter)."""
    return [
        f"{table} {line}"
        for table, line, words in _lines(saved)
        if not _is_of(words, _MOVING) and not _is_of(words, _DOCKERS) and not _is_for_docker0(words)
    ]


def docker_lines(saved: str) -> list[str]:
    """What of Docker's is there."""
    return [
        f"{table} {line}" for table, line, words in _lines(saved) if _is_of(words, _DOCKERS) or _is_for_docker0(words)
    ]


def policies(saved: str) -> dict[str, str]:
    """`filter FORWARD` -> DROP, and so on."""
    found = {}
    table = ""
    for line in saved.splitlines():
        if line.startswith("*"):
            table = line[1:].strip()
        elif line.startswith(":") and line[1:].split()[0] in _BUILT_IN:
            chain, policy, *_ = line[1:].split()
            found[f"{table} {chain}"] = policy
    return found


def _lines(saved: str) -> Iterator[tuple[str, str, list[str]]]:
    """Chains that somebody made, and rules: table, the line as it is, its words (the first is -A or :)."""
    table = ""
    for line in saved.splitlines():
        if line.startswith("*"):
            table = line[1:].strip()
        elif line.startswith(":") and line[1:].split()[0] not in _BUILT_IN:
            chain = line[1:].split()[0]
            yield table, f":{chain}", [":", chain]
        elif line.startswith("-A"):
            yield table, line, shlex.split(line)


def _is_of(words: list[str], prefixes: tuple[str, ...]) -> bool:
    """Whether it makes, belongs to or jumps to a chain with such a name."""
    target = words[words.index("-j") + 1] if "-j" in words else ""
    return words[1].startswith(prefixes) or target.startswith(prefixes)


def _is_for_docker0(words: list[str]) -> bool:
    """Docker's rules in FORWARD and POSTROUTING; an administrator's rule for docker0 has another shape."""
    rule = " ".join(words[1:])
    forward = {
        "FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        "FORWARD -i docker0 ! -o docker0 -j ACCEPT",
        "FORWARD -i docker0 -o docker0 -j ACCEPT",
    }
    return rule in forward or (rule.startswith("POSTROUTING -s ") and rule.endswith("! -o docker0 -j MASQUERADE"))
