"""Which regular files there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cri_switch.model.errors import RemoteCommandFailed
from cri_switch.node.command import Result, sudo
from cri_switch.node.fact import Fact


@dataclass(frozen=True)
class FoundFile:
    """A regular file: `mode` is octal, `owner` is user:group."""

    path: str
    mode: str
    owner: str


def files_below(paths: Sequence[str]) -> Fact[list[FoundFile]]:
    """The regular files at or below paths, links followed; a path that does not exist is passed over.

    Raises: RemoteCommandFailed when find could not look somewhere for another reason.
    """

    def parse(result: Result) -> list[FoundFile]:
        said = [line for line in result.stderr.splitlines() if line.startswith("find: ")]
        amiss = [line for line in said if not line.endswith(": No such file or directory")]
        if result.rc and (amiss or not said):
            raise RemoteCommandFailed(
                f"not every file could be looked at: {'; '.join(amiss) or result.stderr.strip()}",
                rc=result.rc,
                stderr=result.stderr,
                next_step="correct what find names on the node, and run the same command again",
            )
        return [FoundFile(*line.split("\t")) for line in result.stdout.splitlines() if line.count("\t") == 2]

    form = "%p\\t%m\\t%u:%g\\n"
    return Fact("files", sudo("find", "-L", *paths, "-type", "f", "-printf", form, ok=(0, 1)), parse)
