"""Owner and mode of files."""

from __future__ import annotations

from cri_switch.model.errors import NotProven
from cri_switch.node.command import Result, sudo
from cri_switch.node.fact import Fact


def looks(*paths: str) -> Fact[dict[str, str]]:
    """`uid:gid mode` by path, of those that exist."""

    def parse(result: Result) -> dict[str, str]:
        problems = [line for line in result.stderr.splitlines() if line and "No such file" not in line]
        if result.rc and problems:
            raise NotProven(problems[0], next_step=f"on the node: sudo stat {' '.join(paths)}")
        rows = (line.split(" ", 2) for line in result.stdout.splitlines())
        return {path: f"{owner} {mode}" for owner, mode, path in rows}

    return Fact("owners and modes", sudo("stat", "-c", "%u:%g %a %n", "--", *paths, ok=(0, 1)), parse)
