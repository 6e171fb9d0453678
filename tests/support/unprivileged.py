"""As a user who may not read everything, also where the tests run as root."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NOBODY = 65534


@contextmanager
def open_directory() -> Iterator[Path]:
    """An empty one that everybody may search.

    Not pytest's: each pytest that begins closes the directory above all of theirs to others.
    """
    with tempfile.TemporaryDirectory() as name:
        found = Path(name)
        found.chmod(0o755)
        yield found


@contextmanager
def as_nobody(directory: Path) -> Iterator[None]:
    """The effective user is nobody meanwhile, and may search the directories above this one."""
    user = os.geteuid()
    if user == 0:
        for above in directory.parents[:-2]:
            above.chmod(above.stat().st_mode | 0o011)
        os.seteuid(_NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)


def readable(root: Path) -> Path:
    """A directory with all that is in it, made readable for everybody, whatever the umask was."""
    for each in (root, *root.rglob("*")):
        each.chmod(0o755 if each.is_dir() else 0o644)
    return root
