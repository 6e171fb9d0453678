"""A program in a real pseudo-terminal, as a person has it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]")
MOVED = re.compile(r"\x1b\[[0-9;]*[ABCDHJK]")
COLOUR = re.compile(r"\x1b\[(?:[0-9]+;)*(?:3[0-9]|4[0-9]|9[0-7])(?:;[0-9]+)*m")


def on_terminal(
    argv: Sequence[str],
    *,
    columns: int = 80,
    environment: Mapping[str, str] | None = None,
    answers: Mapping[str, str] | None = None,
    directory: Path | None = None,
    seconds: float = 100,
) -> tuple[int, str]:
    """Its exit code and all that it wrote, escapes included; each answer is typed when its question was seen."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    given = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "COLUMNS", "FORCE_COLOR")}
    given |= {"TERM": "xterm-256color", **(environment or {})}
    process = subprocess.Popen(
        argv, cwd=directory, stdin=theirs, stdout=theirs, stderr=theirs, env=given, start_new_session=True
    )
    os.close(theirs)
    waiting, seen, deadline = dict(answers or {}), "", time.monotonic() + seconds
    try:
        while time.monotonic() < deadline:
            if select.select([ours], [], [], 0.1)[0]:
                try:
                    data = os.read(ours, 65536)
                except OSError:  # the other side is closed: Linux says EIO
                    break
                if not data:
                    break
                seen += data.decode("utf-8", "replace")
            for question in [question for question in waiting if question in seen]:
                os.write(ours, f"{waiting.pop(question)}\n".encode())
        return process.wait(max(1.0, deadline - time.monotonic())), seen
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def plain(text: str) -> list[str]:
    """What was written without its escapes, line by line; where the cursor is moved a line ends."""
    return ESCAPE.sub("", MOVED.sub("\n", text)).replace("\r", "").splitlines()
