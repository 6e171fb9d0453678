"""The journal on the node: what this migration did there, for the next run, for undo and for a human."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Literal

from cri_switch.model.errors import FileChanged, NotProven
from cri_switch.node.action import Do, Part, read
from cri_switch.node.command import Command, Result, sudo
from cri_switch.node.connection import Connection
from cri_switch.node.fact import Fact

HOME = "/var/lib/cri-switch"
ROLLBACK_STEPS = frozenset({"rollback", "rollback_node", "undo"})

Event = Literal["opened", "started", "done", "noop", "failed"]


@dataclass(frozen=True)
class Entry:
    """One line: `time` is the orchestrator's, in seconds since the epoch; `run` is the flow run's id."""

    time: float
    run: str
    attempt: int
    step: str
    event: Event
    summary: str = ""
    boot_id: str = ""


@dataclass(frozen=True)
class Original:
    """A file as it was before the first edit; `sha256` is "" where there was none."""

    path: str
    existed: bool
    sha256: str = ""


def folder(migration_id: str) -> str:
    """The migration's directory on the node, root only."""
    return f"{HOME}/{migration_id}"


def _records(text: str) -> list[dict[str, Any]]:
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


def parse_entries(text: str) -> list[Entry]:
    """The entries that are whole, in order; fields that a later version added are passed over."""
    names, entries = {f.name for f in dataclasses.fields(Entry)}, []
    for record in _records(text):
        if {"time", "run", "attempt", "step", "event"} <= record.keys() and isinstance(record["attempt"], int):
            entries.append(Entry(**{name: value for name, value in record.items() if name in names}))
    return entries


def journal_fact(migration_id: str) -> Fact[list[Entry]]:
    """The entries so far; none where there is no journal."""
    return _lines("journal", f"{folder(migration_id)}/journal.jsonl", parse_entries)


def originals_fact(migration_id: str) -> Fact[list[Original]]:
    """The files kept so far."""

    def parse(text: str) -> list[Original]:
        return [Original(r["path"], r["existed"], r.get("sha256", "")) for r in _records(text) if "existed" in r]

    return _lines("originals", f"{folder(migration_id)}/originals.jsonl", parse)


def _lines(name: str, path: str, parse: Any) -> Fact[Any]:
    def found(result: Result) -> Any:
        return parse("" if _missing(result) else result.stdout)

    return Fact(name, sudo("cat", "--", path, ok=(0, 1)), found)


def _missing(result: Result) -> bool:
    """Whether the file does not exist; a disk that does not read it is no such answer (coreutils say 1 to both)."""
    if result.rc == 0:
        return False
    if "No such file" not in result.stderr:
        raise NotProven(result.stderr.strip()[:300], next_step="on the node: dmesg -T | tail; df -h")
    return True


def _appended(path: str, record: object) -> Command:
    """One line, synced; a newline goes first, so that a torn line before it stays alone.

    1: there is no such file, it could not be written (a full disk), or it is a symbolic link, which is not followed.
    """
    line = json.dumps(dataclasses.asdict(record), separators=(",", ":"))  # type: ignore[call-overload]
    argv = ("dd", f"of={path}", "oflag=append,nofollow", "conv=notrunc,nocreat,fsync", "status=none")
    return Command(argv, stdin=f"\n{line}\n".encode(), ok=frozenset({0, 1}))


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


def _made(migration_id: str, path: str) -> list[Command]:
    return [
        sudo("install", "-d", "-m", "0700", "--", HOME, folder(migration_id)),
        sudo("install", "-m", "0600", "--", "/dev/null", path),
    ]


def append(connection: Connection, migration_id: str, entry: Entry) -> None:
    """Write one entry; the journal is made when there is none (directory 0700, file 0600)."""
    path = f"{folder(migration_id)}/journal.jsonl"
    command = _appended(path, entry)
    written = connection.run(command)
    if written.rc != 0:
        if "No such file" in written.stderr:  # making it anew empties it
            home_fact(migration_id).read(connection)
            for making in _made(migration_id, path):
                connection.run(making)
        connection.run(dataclasses.replace(command, ok=frozenset({0})))


def keep_original(migration_id: str, path: str) -> Generator[Part, Any, None]:
    """Copy a file as it is before this migration's first edit of it, once; that there was none is noted too.

    To be used by `yield from` before the Put or Do that changes the file. Copies lie in originals/ under their path.
    """
    if any(original.path == path for original in (yield from read(originals_fact(migration_id)))):
        return
    found = yield from read(Fact(f"sha256 of {path}", sudo("sha256sum", "--", path, ok=(0, 1)), lambda result: result))
    copy = f"{folder(migration_id)}/originals{path}"
    manifest = f"{folder(migration_id)}/originals.jsonl"
    missing = _missing(found)
    if not missing:
        why = f"keep the original of {path}"
        # each by its name: install gives those that it makes on the way no mode
        above = [str(each) for each in PurePosixPath(copy).parents if each.is_relative_to(HOME)]
        yield Do(sudo("install", "-d", "-m", "0700", "--", *reversed(above)), why)
        yield Do(sudo("cp", "-aT", "--remove-destination", "--", path, copy), why)
    digest = "" if missing else found.stdout.split()[0].lstrip("\\")
    command = _appended(manifest, Original(path, not missing, digest))
    noted = yield Do(command, f"note the original of {path}")
    if noted.rc != 0:
        for making in _made(migration_id, manifest) if "No such file" in noted.stderr else ():
            yield Do(making, f"note the original of {path}")
        yield Do(dataclasses.replace(command, ok=frozenset({0})), f"note the original of {path}")


def next_attempt(entries: Sequence[Entry], boot_id: str, *, effects_true: bool) -> int:
    """Which attempt a run is: 1 on a fresh node, the last one while its checkpoints are true, else one more.

    They are true within the same boot, without a rollback since, and while the recorded effects hold.
    """
    if not entries:
        return 1
    last = max(entry.attempt for entry in entries)
    mine = [entry for entry in entries if entry.attempt == last]
    rebooted = any(entry.boot_id not in ("", boot_id) for entry in mine)
    rolled_back = any(entry.step in ROLLBACK_STEPS for entry in mine)
    return last if effects_true and not rebooted and not rolled_back else last + 1
