"""Files as they were before this migration's first edit of them, kept on the node."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from cri_switch.node.action import Do, Part, read
from cri_switch.node.command import sudo
from cri_switch.node.fact import Fact
from cri_switch.node.home import HOME, appended, folder, is_missing, lines_fact, making_commands, records


@dataclass(frozen=True)
class Original:
    """A file as it was before the first edit; `sha256` is "" where there was none."""

    path: str
    existed: bool
    sha256: str = ""


def originals_fact(migration_id: str) -> Fact[list[Original]]:
    """The files kept so far."""

    def parse(text: str) -> list[Original]:
        return [Original(r["path"], r["existed"], r.get("sha256", "")) for r in records(text) if "existed" in r]

    return lines_fact("originals", f"{folder(migration_id)}/originals.jsonl", parse)


def keep_original(migration_id: str, path: str) -> Generator[Part, Any, None]:
    """Copy a file as it is before this migration's first edit of it, once; that there was none is noted too.

    To be used by `yield from` before the Put or Do that changes the file. Copies lie in originals/ under their path.
    """
    if any(original.path == path for original in (yield from read(originals_fact(migration_id)))):
        return
    found = yield from read(Fact(f"sha256 of {path}", sudo("sha256sum", "--", path, ok=(0, 1)), lambda result: result))
    copy = f"{folder(migration_id)}/originals{path}"
    manifest = f"{folder(migration_id)}/originals.jsonl"
    missing = is_missing(found)
    if not missing:
        why = f"keep the original of {path}"
        # each by its name: install gives those that it makes on the way no mode
        above = [str(each) for each in PurePosixPath(copy).parents if each.is_relative_to(HOME)]
        yield Do(sudo("install", "-d", "-m", "0700", "--", *reversed(above)), why)
        yield Do(sudo("cp", "-aT", "--remove-destination", "--", path, copy), why)
    digest = "" if missing else found.stdout.split()[0].lstrip("\\")
    command = appended(manifest, Original(path, not missing, digest))
    noted = yield Do(command, f"note the original of {path}")
    if noted.rc != 0:
        for making in making_commands(migration_id, manifest) if "No such file" in noted.stderr else ():
            yield Do(making, f"note the original of {path}")
        yield Do(dataclasses.replace(command, ok=frozenset({0})), f"note the original of {path}")
