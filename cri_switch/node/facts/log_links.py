"""dockershim's log links: symbolic links under /var/log that lead into Docker's root."""

from __future__ import annotations

import re

from cri_switch.model.errors import NotProven
from cri_switch.node.command import Result, sudo
from cri_switch.node.fact import Fact

DIRECTORIES = ("/var/log/pods", "/var/log/containers")

_DOCKER_LOG = re.compile(r"/.*/containers/([0-9a-f]{64})/\1-json\.log")
"""Where Docker's json-file driver writes, below any data-root."""


def _dockers(result: Result) -> tuple[str, ...]:
    problems = [line for line in result.stderr.splitlines() if line and "No such file or directory" not in line]
    if result.rc and problems:
        raise NotProven(
            f"log links cannot be listed: {problems[0]}", next_step="on the node: sudo find /var/log/pods -type l -ls"
        )
    links = {}
    for line in result.stdout.splitlines():
        left, arrow, target = line.partition(" -> ")
        if arrow:
            links[left[left.index(" /") + 1 :]] = target
    first = {link for link, target in links.items() if _DOCKER_LOG.fullmatch(target)}
    second = {link for link, target in links.items() if target in first}
    return tuple(sorted(first | second))


DOCKER_LOG_LINKS: Fact[tuple[str, ...]] = Fact(
    "links to Docker's logs", sudo("find", *DIRECTORIES, "-type", "l", "-ls", ok=(0, 1)), _dockers
)
"""Every link whose target is a log of Docker's, and every link to such a link: they dangle without its container."""
