"""Our directory on a node, and the files of JSON lines in it."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from cri_switch.model.errors import FileChanged, NotProven
from cri_switch.node.command import Command, Result, sudo
from cri_switch.node.fact import Fact

HOME = "/var/lib/cri-switch"


def folder(migration_id: str) -> str:
    """The migration's directory on the node, root only."""
    return f"{HOME}/{migration_id}"


def home_fact(migration_id: str) -> Fact[None]:
    """Our directories on the node are directories, where they exist.

    Raises: FileChanged where one is a symbolic link: what is written there would land elsewhere.
    """

    def parse(result: Result) -> None:
        for line in result.stdout.splitlines():
            kind, _, path = line.rpartition(" ")
            if kind != "directory":
                raise FileChanged(
                    f"{path} is a {kind}, not a directory; nothing was written there",
                    next_step=f"look at it on the node, then remove it: sudo ls -l {path}",
                )

    return Fact("our directories", sudo("stat", "-c", "%F %n", "--", HOME, folder(migration_id), ok=(0, 1)), parse)


def making_commands(migration_id: str, path: str) -> list[Command]:
    """What makes an empty file of ours (0600, its directories 0700)."""
    return [
        sudo("install", "-d", "-m", "0700", "--", HOME, folder(migration_id)),
        sudo("install", "-m", "0600", "--", "/dev/null", path),
    ]


def records(text: str) -> list[dict[str, Any]]:
    """JSON lines; what is not a whole object (a line torn by a power cut, an empty line) is passed over."""
    found = []
    for line in text.splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict):
            found.append(record)
    return found


def lines_fact(name: str, path: str, parse: Any) -> Fact[Any]:
    """What `parse` makes of a file's text; of "" where there is no such file."""

    def found(result: Result) -> Any:
        return parse("" if is_missing(result) else result.stdout)

    return Fact(name, sudo("cat", "--", path, ok=(0, 1)), found)


def is_missing(result: Result) -> bool:
    """Whether the file does not exist; a disk that does not read it is no such answer (coreutils say 1 to both)."""
    if result.rc == 0:
        return False
    if "No such file" not in result.stderr:
        raise NotProven(result.stderr.strip()[:300], next_step="on the node: dmesg -T | tail; df -h")
    return True


def appended(path: str, record: object) -> Command:
    """One line, synced; a newline goes first, so that a torn line before it stays alone.

    1: there is no such file, it could not be written (a full disk), or it is a symbolic link, which is not followed.
    """
    line = json.dumps(dataclasses.asdict(record), separators=(",", ":"))  # type: ignore[call-overload]
    argv = ("dd", f"of={path}", "oflag=append,nofollow", "conv=notrunc,nocreat,fsync", "status=none")
    return Command(argv, stdin=f"\n{line}\n".encode(), ok=frozenset({0, 1}))
