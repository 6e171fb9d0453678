"""grep."""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Iterator

from cri_switch.rehearsal.filesystem import MISSING, Entry, FileSystem, FsError
from cri_switch.rehearsal.reply import Call, Reply, UnknownUse, said

_FLAGS = set("rRsaIHhEFivlq")


def grep(call: Call) -> Reply:
    """`grep [-rRsaIHhEFivlq] [-m N] [-e PATTERN] [--include=GLOB]... PATTERN [--] PATH...`."""
    flags: set[str] = set()
    includes, pattern, limit, rest = [], None, 1 << 60, []
    words = iter(call.args)
    for word in words:
        if word == "--":
            rest += list(words)
        elif word.startswith("--include="):
            includes.append(word.partition("=")[2])
        elif word in ("-m", "-e"):
            value = next(words)
            limit, pattern = (int(value), pattern) if word == "-m" else (limit, value)
        elif word.startswith("-") and len(word) > 1 and not rest:
            if set(word[1:]) - _FLAGS:
                raise UnknownUse(f"grep {word}")
            flags |= set(word[1:])
        else:
            rest.append(word)
    if pattern is None:
        pattern, *rest = rest
    fits = _matcher(pattern, flags).search
    out, err = "", ""
    paths, missing = _files(call.machine.fs, rest, includes, flags)
    for path, text in paths:
        lines = [line for line in _lines(text) if bool(fits(line)) != ("v" in flags)][:limit]
        if "l" in flags:
            out += f"{path}\n" if lines else ""
            continue
        named = "H" in flags or (len(rest) > 1 and "h" not in flags) or (bool(flags & {"r", "R"}) and "h" not in flags)
        out += "".join(f"{path}:{line}\n" if named else f"{line}\n" for line in lines)
    if "s" not in flags:
        err = "".join(f"grep: {path}: {why}\n" for path, why in missing)
    rc = 2 if missing else int(not out)
    return Reply(rc, b"", err) if "q" in flags else said(out, rc, err)


def _matcher(pattern: str, flags: set[str]) -> re.Pattern[str]:
    return re.compile(re.escape(pattern) if "F" in flags else pattern, re.I if "i" in flags else 0)


def _lines(text: str) -> list[str]:
    lines = text.split("\n")
    return lines[:-1] if lines and lines[-1] == "" else lines


def _files(
    fs: FileSystem, paths: list[str], includes: list[str], flags: set[str]
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    found, missing = [], []
    for path in paths:
        try:
            entry = fs.lookup(path)
            if entry is not None and entry.kind == "d":
                if not flags & {"r", "R"}:
                    missing.append((path, "Is a directory"))
                    continue
                for where, each in _below(fs, path, includes, follow="R" in flags):
                    if each.kind == "f":
                        found.append((where, each.content.decode("utf-8", "surrogateescape")))
                    elif "R" in flags:
                        missing.append((where, MISSING))
            else:
                found.append((path, fs.read(path).decode("utf-8", "surrogateescape")))
        except FsError as problem:
            missing.append((path, problem.words if problem.words != MISSING else MISSING))
    return found, missing


def _below(fs: FileSystem, path: str, includes: list[str], *, follow: bool) -> Iterator[tuple[str, Entry]]:
    """What is not a directory; a link only where links are followed and it leads nowhere."""
    for where, entry in fs.walk(path, follow=follow):
        name = posixpath.basename(where)
        if entry.kind != "d" and (not includes or any(fnmatch.fnmatchcase(name, one) for one in includes)):
            yield where, entry
