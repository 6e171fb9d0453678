"""Remote files: read whole, written whole and atomically, compared with what was read."""

from __future__ import annotations

import hashlib
import posixpath
import secrets
from dataclasses import dataclass

from cri_switch.model.errors import FileChanged
from cri_switch.node.command import Command, Result, sudo
from cri_switch.node.connection import Connection
from cri_switch.node.fact import Fact


@dataclass(frozen=True)
class RemoteFile:
    """A file as it was read: `text` is None where there is none; `sha256` is then ""."""

    path: str
    text: str | None

    @property
    def sha256(self) -> str:
        """Hash of the content that was read."""
        return "" if self.text is None else digest(self.text.encode("utf-8", "surrogateescape"))


def digest(content: bytes) -> str:
    """The sha256 of a file's content, in hex."""
    return hashlib.sha256(content).hexdigest()


def file_fact(path: str) -> Fact[RemoteFile]:
    """The content of a file, or None where it does not exist; any other refusal of cat raises FileChanged."""

    def parse(result: Result) -> RemoteFile:
        if result.rc == 0:
            return RemoteFile(path, result.stdout)
        if "No such file or directory" in result.stderr or "Not a directory" in result.stderr:
            return RemoteFile(path, None)
        raise FileChanged(f"{path} cannot be read: {result.stderr.strip()}")

    return Fact(f"file {path}", sudo("cat", "--", path, ok=(0, 1)), parse)


def write(
    connection: Connection, path: str, content: bytes, *, mode: int | None = None, expect: str | None = None
) -> None:
    """Write a file whole: temp file beside it (0600 from the first byte), synced, given owner and mode, renamed.

    `mode` counts where there was no file (default 0644); `expect` is the sha256 that was read, "" for none.

    Raises:
        FileChanged: the file is not the one that was read, or is a symbolic link.
    """
    kind = connection.run(sudo("stat", "-c", "%F", "--", path, ok=(0, 1)))
    exists = kind.rc == 0
    if exists and kind.stdout.strip() not in ("regular file", "regular empty file"):
        raise FileChanged(
            f"{connection.node}: {path} is a {kind.stdout.strip()}, not a regular file; it was left alone",
            next_step=f"look at it: ssh {connection.node} sudo ls -l {path}",
        )
    if expect is not None:
        seen = ""
        if exists:
            seen = connection.run(sudo("sha256sum", "--", path)).stdout.split()[0].lstrip("\\")
        if seen != expect:
            raise FileChanged(
                f"{connection.node}: {path} was changed by somebody else since it was read; it was left alone",
                next_step="run the same command again: it reads the file anew",
            )
    temp = posixpath.join(posixpath.dirname(path), f".{posixpath.basename(path)}.cri-switch-{secrets.token_hex(6)}")
    connection.run(sudo("install", "-m", "0600", "/dev/null", temp))
    into_temp = ("dd", f"of={temp}", "conv=fsync", "status=none")
    connection.run(Command(into_temp, stdin=content, timeout=60))
    if exists:
        connection.run(sudo("chown", f"--reference={path}", "--", temp))
        connection.run(sudo("chmod", f"--reference={path}", "--", temp))
    else:
        connection.run(sudo("chmod", f"{mode if mode is not None else 0o644:04o}", "--", temp))
    connection.run(sudo("mv", "-fT", "--", temp, path))
