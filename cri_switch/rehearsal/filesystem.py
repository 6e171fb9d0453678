"""A file system in memory: modes, owners, symbolic links, times, sizes."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


class FsError(Exception):
    """A refusal in the kernel's words ("No such file or directory")."""

    def __init__(self, words: str, path: str) -> None:
        super().__init__(f"{path}: {words}")
        self.words = words
        self.path = path


MISSING = "No such file or directory"
_LINKS, _INODE = 40, 1


@dataclass
class Entry:
    """One inode: `kind` is f, d or l; `size` counts instead of the content's length where the content is a stand-in."""

    kind: str
    mode: int
    owner: str = "root:root"
    mtime: float = 0.0
    content: bytes = b""
    target: str = ""
    size: int | None = None
    socket: bool = False
    children: dict[str, Entry] = field(default_factory=dict)

    @property
    def length(self) -> int:
        """Bytes."""
        return len(self.content) if self.size is None else self.size


class FileSystem:
    """Paths are absolute. `special` answers the content of files of /proc that are made when they are read."""

    def __init__(self, now: Callable[[], float], special: Callable[[str], bytes | None] = lambda _path: None) -> None:
        self._now, self._special = now, special
        self.root = Entry("d", 0o755)
        self.room: int | None = None
        """Bytes that are left on a disk that something has filled; None: more than is ever written."""

    def lookup(self, path: str, *, follow: bool = True) -> Entry | None:
        """The entry, or None."""
        found, _where = self._walk(path, follow)
        return found

    def real(self, path: str) -> str:
        """The path with all links resolved, whether its last part exists or not."""
        return self._walk(path, True)[1]

    def entry(self, path: str, *, follow: bool = True) -> Entry:
        """The entry, or FsError."""
        found = self.lookup(path, follow=follow)
        if found is None:
            raise FsError(MISSING, path)
        return found

    def exists(self, path: str) -> bool:
        """Whether there is something, links followed."""
        return self.lookup(path) is not None

    def read(self, path: str) -> bytes:
        """A file's content."""
        if path.startswith(("/proc/", "/sys/")):
            made = self._special(path)
            if made is not None:
                return made
        found = self.entry(path)
        if found.kind == "d":
            raise FsError("Is a directory", path)
        return found.content

    def text(self, path: str) -> str | None:
        """A file's text, None where there is none."""
        try:
            return self.read(path).decode("utf-8", "surrogateescape")
        except FsError:
            return None

    def write(self, path: str, content: bytes | str, mode: int | None = None, *, append: bool = False) -> Entry:
        """Write a file; its directory must be there. An existing file keeps owner and mode."""
        data = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
        found, where = self._walk(path, True)
        if found is None:
            self.take(path, _INODE)
            found = Entry("f", 0o644 if mode is None else mode)
            self._parent(where).children[posixpath.basename(where)] = found
        elif found.kind == "d":
            raise FsError("Is a directory", path)
        self.take(path, len(data) if append else len(data) - len(found.content))
        found.content = found.content + data if append else data
        found.mtime, found.size = self._now(), None
        if mode is not None:
            found.mode = mode
        return found

    def take(self, path: str, size: int) -> None:
        """Take room for a file (give it back: a negative size), or FsError."""
        if self.room is None:
            return
        if size > self.room:
            raise FsError("No space left on device", path)
        self.room -= size

    def put(self, path: str, content: bytes | str, mode: int = 0o644) -> Entry:
        """Write a file and make its directories."""
        self.mkdir(posixpath.dirname(path))
        return self.write(path, content, mode)

    def mkdir(self, path: str, mode: int = 0o755) -> None:
        """Make a directory and its parents; one that is there stays as it is."""
        at = self.root
        for part in [part for part in posixpath.normpath(path).split("/") if part]:
            below = at.children.get(part)
            if below is None:
                below = at.children[part] = Entry("d", mode, mtime=self._now())
            if below.kind == "l":
                below = self.entry(path)
            if below.kind != "d":
                raise FsError("File exists" if posixpath.basename(path) == part else "Not a directory", path)
            at = below

    def symlink(self, target: str, path: str) -> None:
        """Make or replace a symbolic link, and its directories."""
        self.mkdir(posixpath.dirname(path))
        link = Entry("l", 0o777, mtime=self._now(), target=target)
        self._parent(path).children[posixpath.basename(path)] = link

    def remove(self, path: str, *, recursive: bool = False) -> None:
        """Take an entry away; a link is not followed."""
        found = self.entry(path, follow=False)
        if found.kind == "d" and not recursive:
            raise FsError("Is a directory", path)
        where = self._walk(path, False)[1]
        self.take(path, -sum(each.length for _, each in self.walk(path)))
        del self._parent(where).children[posixpath.basename(where)]

    def rename(self, source: str, target: str) -> None:
        """Move an entry over another."""
        found = self.entry(source, follow=False)
        old = self.lookup(target, follow=False)
        if old is not None and old.kind == "d":
            raise FsError("Is a directory", target)
        where = self._walk(target, False)[1]
        parent = self._parent(where)
        self.take(target, -old.length if old is not None else 0)
        away = self._walk(source, False)[1]
        del self._parent(away).children[posixpath.basename(away)]
        parent.children[posixpath.basename(where)] = found

    def walk(self, path: str, *, follow: bool = False) -> Iterator[tuple[str, Entry]]:
        """The entry itself and everything below, in order of names."""
        found = self.lookup(path, follow=follow)
        if found is None and follow:
            found = self.lookup(path, follow=False)
        if found is None:
            return
        yield path, found
        for name in sorted(found.children):
            yield from self.walk(posixpath.join(path, name), follow=follow)

    def names(self, path: str) -> list[str]:
        """What is in a directory, sorted; nothing where there is none."""
        found = self.lookup(path)
        return sorted(found.children) if found else []

    def _parent(self, path: str) -> Entry:
        parent = self.entry(posixpath.dirname(path) or "/")
        if parent.kind != "d":
            raise FsError("Not a directory", path)
        return parent

    def _walk(self, path: str, follow: bool, depth: int = 0) -> tuple[Entry | None, str]:
        if depth > _LINKS:
            raise FsError("Too many levels of symbolic links", path)
        parts = [part for part in posixpath.normpath(path).split("/") if part]
        at, where = self.root, ""
        for number, part in enumerate(parts):
            if at.kind != "d":
                raise FsError("Not a directory", path)
            below = at.children.get(part)
            rest = parts[number + 1 :]
            if below is None:
                return None, posixpath.join(where or "/", part, *rest)
            where = f"{where}/{part}"
            if below.kind == "l" and (rest or follow):
                target = posixpath.join(posixpath.dirname(where), below.target)
                if target == "/dev/null":
                    return Entry("f", 0o666), target
                return self._walk(posixpath.join(target, *rest), follow, depth + 1)
            at = below
        return at, where or "/"
