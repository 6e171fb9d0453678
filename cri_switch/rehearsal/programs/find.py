"""find."""

from __future__ import annotations

import fnmatch
import posixpath
import stat as modes
from collections.abc import Callable

from cri_switch.rehearsal.docker_clients import clients
from cri_switch.rehearsal.filesystem import MISSING, Entry, FileSystem
from cri_switch.rehearsal.reply import Call, Reply, UnknownUse, after, said

_WITH_VALUE = ("-type", "-xtype", "-name", "-path", "-lname", "-maxdepth", "-mindepth", "-printf")
_ALONE = ("-ls", "-print", "-delete", "-empty", "-depth", "-xdev")


def find(call: Call) -> Reply:
    """`find [-L] PATH... TESTS [-ls | -printf FORMAT | -delete]`: all tests must hold."""
    if call.args[:1] == ["/proc"]:
        return _sockets(call)
    follow = call.args[:1] == ["-L"]
    words = call.args[1:] if follow else call.args
    first = next((number for number, word in enumerate(words) if word.startswith("-")), len(words))
    wish = _wish(words[first:])
    fs, out, err = call.machine.fs, "", ""
    for path in words[:first]:
        if fs.lookup(path, follow=follow) is None and fs.lookup(path, follow=False) is None:
            err += f"find: '{path}': {MISSING}\n"
        found = list(fs.walk(path, follow=follow))
        if "-depth" in wish or "-delete" in wish:
            found.reverse()
        for where, entry in found:
            depth = where[len(path) :].count("/")
            low, high = int(wish.get("-mindepth", "0")), int(wish.get("-maxdepth", "99"))
            if not low <= depth <= high or not all(
                _TESTS[k](fs, where, entry, v) for k, v in wish.items() if k in _TESTS
            ):
                continue
            if "-delete" in wish:
                fs.remove(where, recursive=entry.kind == "d" and not entry.children)
            else:
                out += _shown(where, entry, wish)
    return said(out, 1 if err else 0, err)


def _sockets(call: Call) -> Reply:
    """The open files of processes that are sockets; processes end meanwhile, so there is always a complaint."""
    after(call.args, "/proc", "-maxdepth", "3", "-path", "/proc/[0-9]*/fd/*", "-lname", "socket:*", "-printf")
    lines = [f"/proc/{pid}/fd/9 socket:[{inode}]\n" for pid, inode, _own in clients(call.machine)]
    return said("".join(lines), 1, f"find: '/proc/{1 << 20}': {MISSING}\n")


def _wish(tests: list[str]) -> dict[str, str]:
    wish: dict[str, str] = {}
    words = iter(tests)
    for word in words:
        if word in _ALONE:
            wish[word] = ""
        elif word in _WITH_VALUE:
            wish[word] = next(words)
        else:
            raise UnknownUse(f"find {word}")
    return wish


def _xtype(fs: FileSystem, path: str, entry: Entry, value: str) -> bool:
    if entry.kind == "l":
        there = fs.lookup(path)
        return value == (there.kind if there is not None else "l")
    return entry.kind == value


_TESTS: dict[str, Callable[[FileSystem, str, Entry, str], bool]] = {
    "-type": lambda _fs, _path, entry, value: entry.kind == value and not entry.socket,
    "-xtype": _xtype,
    "-name": lambda _fs, path, _entry, value: fnmatch.fnmatchcase(posixpath.basename(path), value),
    "-path": lambda _fs, path, _entry, value: fnmatch.fnmatchcase(path, value),
    "-lname": lambda _fs, _path, entry, value: entry.kind == "l" and fnmatch.fnmatchcase(entry.target, value),
    "-empty": lambda _fs, _path, entry, _value: not (entry.children if entry.kind == "d" else entry.length),
}


def _shown(path: str, found: Entry, wish: dict[str, str]) -> str:
    if "-ls" in wish:
        arrow = f" -> {found.target}" if found.kind == "l" else ""
        kind = {"d": modes.S_IFDIR, "l": modes.S_IFLNK, "f": modes.S_IFREG}[found.kind]
        mode = modes.filemode(kind | found.mode)
        return f"  1234      4 {mode}   1 root     root {found.length:>12} Nov 23 18:00 {path}{arrow}\n"
    if "-printf" not in wish:
        return f"{path}\n"
    user, _, group = found.owner.partition(":")
    values = {"%p": path, "%m": f"{found.mode:o}", "%u": user, "%g": group, "%s": str(found.length), "%l": found.target}
    text = wish["-printf"]
    for mark, value in {**values, "\\t": "\t", "\\n": "\n", "\\0": "\0"}.items():
        text = text.replace(mark, value)
    return text
