"""A copy of a node's files in a directory: what is there, and what of it may not be read."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

_HOPS = 40
"""Of symbolic links, as Linux has it."""


class CopiedFiles:
    """Files by their paths on the node. Symbolic links are followed inside the directory only, as they would be there.

    Nothing is raised: what is there and cannot be read is noted in `refused`. `assumed` are texts of files that are not
    in the copy, by path.
    """

    def __init__(self, root: Path, assumed: Mapping[str, str] | None = None) -> None:
        self.refused: dict[str, str] = {}
        """Why a file cannot be read, by its path; a directory that cannot be searched stands for all that is in it."""
        self._root = root.resolve()
        self._assumed = dict(assumed or {})
        self._why: dict[str, str] = {}

    def text(self, path: str) -> str | None:
        """The file's text, None where there is none or it cannot be read (`why_not` tells which)."""
        content = self._asked(path, directory=False)
        if isinstance(content, bytes):
            return content.decode("utf-8", "surrogateescape")
        return None if path in self._why else self._assumed.get(path)

    def names(self, path: str) -> list[str] | None:
        """What is in a directory, sorted; None where there is none or it cannot be read."""
        found = self._asked(path, directory=True)
        return None if isinstance(found, bytes) else found

    def why_not(self, path: str) -> str:
        """Why there is no text or names, in the words of the C library."""
        return self._why.get(path, os.strerror(errno.ENOENT))

    def there(self, path: str) -> bool:
        """Whether the copy has something at this path, readable or not."""
        return self._asked(path, directory=False) is not None or path in self._why

    def _asked(self, path: str, *, directory: bool) -> bytes | list[str] | None:
        try:
            here = self._find(path)
            if here is None:
                return None
            mode = here.stat().st_mode
            if directory:
                return sorted(each.name for each in here.iterdir()) if stat.S_ISDIR(mode) else None
            if here == self._root / "dev/null":  # what a unit that is masked is a link to
                return b""
            if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
                return here.read_bytes()
            self._note(path, OSError(errno.EINVAL, "not a regular file", str(here)))
        except OSError as problem:
            self._note(path, problem)
        return None

    def _note(self, path: str, problem: OSError) -> None:
        self._why[path] = problem.strerror or str(problem)
        place = Path(str(problem.filename or self._root / path.lstrip("/")))
        if isinstance(problem, PermissionError) and not os.access(place.parent, os.X_OK, effective_ids=True):
            place = place.parent
        blamed = f"/{place.relative_to(self._root)}" if place.is_relative_to(self._root) else path
        self.refused.setdefault("/" if blamed == "/." else blamed, self._why[path])

    def _find(self, path: str) -> Path | None:
        """Where it lies in the copy, None where it does not."""
        here = self._root
        parts = [part for part in PurePosixPath(path).parts if part != "/"]
        hops = 0
        while parts:
            part = parts.pop(0)
            if part == "..":
                here = here.parent if here != self._root else here
                continue
            here /= part
            try:
                mode = here.lstat().st_mode
            except (FileNotFoundError, NotADirectoryError):
                return None
            if stat.S_ISLNK(mode):
                hops += 1
                if hops > _HOPS:
                    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(self._root / path.lstrip("/")))
                target = here.readlink()
                here = self._root if target.is_absolute() else here.parent
                parts = [each for each in PurePosixPath(target.as_posix()).parts if each != "/"] + parts
        return here
