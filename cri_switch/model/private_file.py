"""Files and directories of this machine that are their owner's only, whatever the umask, from the first byte on."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def make_private(directory: Path) -> None:
    """Make a directory and those missing above it, each 0700; what is there stays as it is. Raises OSError."""
    if not directory.exists():
        make_private(directory.parent)
        directory.mkdir(mode=0o700, exist_ok=True)


def write_private(path: Path, text: str) -> None:
    """Write a file whole, 0600: a new one beside it is renamed to it, so that a symbolic link there is replaced.

    Raises OSError; then what was there is there still, and nothing else.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
