"""Several small files at once: one command instead of one for each."""

from __future__ import annotations

from collections.abc import Sequence

from cri_switch.node.command import Result, sudo
from cri_switch.node.fact import Fact


def texts(*paths: str) -> Fact[dict[str, str]]:
    """The files by path, each line ended by a newline; one that is missing or empty is left out."""

    def parse(result: Result) -> dict[str, str]:
        return parse_grep(result.stdout, paths)

    command = sudo("grep", "-s", "-a", "-H", "", "--", *paths, ok=(0, 1, 2))
    return Fact(f"files {' '.join(paths)}", command, parse)


def parse_grep(text: str, paths: Sequence[str] = ()) -> dict[str, str]:
    """`path:line` of `grep -H`, joined by path; a path with a colon in it must be one of `paths`."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        known = next((path for path in paths if line.startswith(f"{path}:")), line.partition(":")[0])
        if line != known:
            found.setdefault(known, []).append(line[len(known) + 1 :])
    return {path: "\n".join(lines) + "\n" for path, lines in found.items()}
