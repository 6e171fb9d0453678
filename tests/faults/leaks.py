"""Where a secret may not be: files of a directory (databases too), and the words of every process meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Words:
    """The command lines of all processes of this machine, the lab's machines' among them, many times a second."""

    seen: set[bytes] = field(default_factory=set)
    looks: int = 0
    _over: threading.Event = field(default_factory=threading.Event)

    def take(self) -> None:
        while not self._over.wait(0.05):
            self.looks += 1
            for entry in Path("/proc").glob("[0-9]*"):
                try:
                    self.seen.add((entry / "cmdline").read_bytes())
                except OSError:
                    continue

    def with_word(self, word: str) -> list[str]:
        """The command lines that have it."""
        return sorted(each.replace(b"\0", b" ").decode(errors="replace") for each in self.seen if word.encode() in each)

    def end(self) -> None:
        self._over.set()


@contextmanager
def listening() -> Iterator[Words]:
    """Until the block ends."""
    words = Words()
    thread = threading.Thread(target=words.take, daemon=True)
    thread.start()
    try:
        yield words
    finally:
        words.end()
        thread.join(30)


def files_with(word: str, *directories: Path) -> list[str]:
    """Files below these directories that have it; databases are such files too."""
    found = [path for directory in directories for path in sorted(directory.rglob("*")) if path.is_file()]
    return [str(path) for path in found if word.encode() in path.read_bytes()]
