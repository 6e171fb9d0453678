"""Which programs sudo lets the ssh user run as root without a password."""

from __future__ import annotations

import posixpath
import re

from cri_switch.node.command import Result, plain
from cri_switch.node.fact import Fact

_RULE = re.compile(r"^\s+\((?:root|ALL)(?: *: *\w+)?\)\s+(.*)$")


def parse_sudo_list(text: str) -> frozenset[str] | None:
    """`sudo -l`: the names of the programs, None where all are allowed."""
    found = set()
    for line in text.splitlines():
        if not (rule := _RULE.match(line)) or "NOPASSWD:" not in rule[1]:
            continue
        for command in re.sub(r"\b(NO)?(PASSWD|SETENV|EXEC|LOG_\w+|MAIL|FOLLOW):", " ", rule[1]).split(","):
            words = command.split()
            if words[:1] == ["ALL"]:
                return None
            if words:
                found.add(posixpath.basename(words[0]) if words[0][-1] != "*" else words[0])
    return frozenset(found)


def _parse(result: Result) -> frozenset[str] | None:
    return parse_sudo_list(result.stdout)


SUDO_RULE: Fact[frozenset[str] | None] = Fact("sudo's rule", plain("sudo", "-n", "-l"), _parse)
