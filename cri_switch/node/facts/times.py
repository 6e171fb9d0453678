"""When files were written."""

from __future__ import annotations

from cri_switch.model.errors import NotProven
from cri_switch.node.command import Result, sudo
from cri_switch.node.fact import Fact


def modified(*paths: str) -> Fact[dict[str, float]]:
    """Seconds since the epoch by the node's clock, with nanoseconds; a file that is not there is left out.

    Raises: NotProven when a file cannot be looked at for any other reason.
    """

    def parse(result: Result) -> dict[str, float]:
        problems = [line for line in result.stderr.splitlines() if line and "No such file or directory" not in line]
        if result.rc and problems:
            raise NotProven(problems[0], next_step=f"on the node: sudo stat {' '.join(paths)}")
        lines = (line.partition(" ") for line in result.stdout.splitlines())
        return {path: float(seconds) for seconds, _blank, path in lines if path}

    return Fact(f"times of {' '.join(paths)}", sudo("stat", "-c", "%.Y %n", "--", *paths, ok=(0, 1)), parse)
