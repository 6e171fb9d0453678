"""A unified diff of a file before and after, with secrets masked."""

from __future__ import annotations

import difflib

from cri_switch.model.secrets import masked


def unified(path: str, before: str | None, after: str) -> str:
    """`diff -u` of one file; a file that does not exist yet is compared with /dev/null."""
    lines = difflib.unified_diff(
        masked(before or "").splitlines(keepends=True),
        masked(after).splitlines(keepends=True),
        fromfile="/dev/null" if before is None else f"a{path}",
        tofile=f"b{path}",
    )
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
