"""Several small files at once: one command instead of one for each."""

from __future__ import annotations

from cri_switch.node.command import Result, sudo
from cri_switch.node.fact import Fact


def texts(*paths: str) -> Fact[dict[str, str]]:
    """The files by path, each line ended by a newline; one that is missing or empty is left out."""

    def parse(result: Result) -> dict[str, str]:
        return parse_grep(result.stdout)

    command = sudo("grep", "-s", "-a", "-H", "", "--", *paths, ok=(0, 1, 2))
    return Fact(f"files {' '.join(paths)}", command, parse)


def parse_grep(text: str) -> dict[str, str]:
    """`path:line` of `grep -H`, joined by path."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        path, colon, content = line.partition(":")
        if colon:
            found.setdefault(path, []).append(content)
    return {path: "\n".join(lines) + "\n" for path, lines in found.items()}
