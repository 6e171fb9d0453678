"""cat, stat, sha256sum, ls, readlink, df, tar: they look at files."""

from __future__ import annotations

import hashlib
import io
import posixpath
import re
import tarfile

from cri_switch.rehearsal.filesystem import MISSING, Entry, FsError
from cri_switch.rehearsal.reply import Call, Reply, UnknownUse, after, failed, said, without_dashes

_KINDS = {"d": "directory", "l": "symbolic link", "f": "regular file"}


def cat(call: Call) -> Reply:
    """`cat [--] FILE...`."""
    out, err = b"", ""
    for path in without_dashes(call.args):
        try:
            out += call.machine.fs.read(path)
        except FsError as problem:
            err += f"cat: {path}: {problem.words}\n"
    return Reply(1 if err else 0, out, err)


def stat(call: Call) -> Reply:
    """`stat [-L] -c FORMAT [--] FILE...`."""
    args = call.args
    follow = args[:1] == ["-L"]
    form, *paths = after(args[1:] if follow else args, "-c")
    out, err = "", ""
    for path in without_dashes(paths):
        try:
            found = _lookup(call, path, follow)
        except FsError as problem:
            err += f"stat: cannot stat '{path}': {problem.words}\n"
            continue
        out += _formatted(form, path, found) + "\n"
    return said(out, 1 if err else 0, err)


def _lookup(call: Call, path: str, follow: bool) -> Entry:
    folder, name = posixpath.split(path)
    if folder in _BIN:
        if call.machine.has_program(name):
            return Entry("f", 0o755)
        raise FsError(MISSING, path)
    if path.startswith("/proc/"):
        return Entry("f", 0o444, content=call.machine.fs.read(path))
    return call.machine.fs.entry(path, follow=follow)


_BIN = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")


def _formatted(form: str, path: str, found: Entry) -> str:
    kind = "socket" if found.socket else _KINDS[found.kind]
    if kind == "regular file" and not found.length:
        kind = "regular empty file"
    user, _, group = found.owner.partition(":")
    values = {
        "%n": path,
        "%F": kind,
        "%.Y": f"{found.mtime:.9f}",
        "%Y": str(int(found.mtime)),
        "%a": f"{found.mode:o}",
        "%U": user,
        "%G": group,
        "%u": "0" if user == "root" else "1000",
        "%g": "0" if group == "root" else "1000",
        "%s": str(found.length),
    }
    unknown = re.search(r"%[^nFYaUGugs.]", form)
    if unknown:
        raise UnknownUse(f"stat -c {form}")
    return re.sub(r"%\.Y|%[nFYaUGugs]", lambda match: values[match[0]], form)


def sha256sum(call: Call) -> Reply:
    """`sha256sum [--] FILE...`."""
    out, err = "", ""
    for path in without_dashes(call.args):
        try:
            out += f"{hashlib.sha256(call.machine.fs.read(path)).hexdigest()}  {path}\n"
        except FsError as problem:
            err += f"sha256sum: {path}: {problem.words}\n"
    return said(out, 1 if err else 0, err)


def ls(call: Call) -> Reply:
    """`ls -1 DIR` (/sys/class/net has the links), `ls -1 -d -- PATH...`."""
    if call.args[:2] == ["-1", "-d"]:
        return _listed(call, without_dashes(call.args[2:]))
    (folder,) = after(call.args, "-1")
    if folder == "/sys/class/net":
        return said("".join(f"{name}\n" for name in sorted(call.machine.kernel.links)))
    if not call.machine.fs.exists(folder):
        return failed(f"ls: cannot access '{folder}': {MISSING}", 2)
    return said("".join(f"{name}\n" for name in call.machine.fs.names(folder)))


def _listed(call: Call, paths: list[str]) -> Reply:
    there = [path for path in paths if call.machine.fs.lookup(path, follow=False)]
    missing = [path for path in paths if path not in there]
    err = "".join(f"ls: cannot access '{path}': {MISSING}\n" for path in missing)
    return said("".join(f"{path}\n" for path in sorted(there)), 2 if missing else 0, err)


def df(call: Call) -> Reply:
    """`df -B1 --output=size,avail,target,file -- PATH...`."""
    machine, err = call.machine, ""
    lines = ["1B-blocks Avail Mounted on File"]
    for path in after(call.args, "-B1", "--output=size,avail,target,file", "--"):
        if machine.fs.exists(path):
            lines.append(f"{machine.disk_size} {machine.room} / {path}")
        else:
            err += f"df: {path}: {MISSING}\n"
    return _table(lines, err)


def _table(lines: list[str], err: str) -> Reply:
    """Without a row there is no heading."""
    return said("\n".join(lines) + "\n" if len(lines) > 1 else "", 1 if err else 0, err)


def tar(call: Call) -> Reply:
    """`tar -C / -c -- MEMBER...` on stdout."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for member in after(call.args, "-C", "/", "-c", "--"):
            if not call.machine.fs.exists(f"/{member}"):
                return Reply(2, bytes(10240), f"tar: {member}: Cannot stat: {MISSING}\n")
            for path, found in call.machine.fs.walk(f"/{member}"):
                info = tarfile.TarInfo(path.lstrip("/"))
                info.mode, info.mtime = found.mode, int(found.mtime)
                info.type = {"d": tarfile.DIRTYPE, "l": tarfile.SYMTYPE, "f": tarfile.REGTYPE}[found.kind]
                info.linkname = found.target
                info.size = len(found.content) if found.kind == "f" else 0
                archive.addfile(info, io.BytesIO(found.content) if found.kind == "f" else None)
    return Reply(0, buffer.getvalue())


def readlink(call: Call) -> Reply:
    """`readlink [-f] [--] PATH`."""
    args = call.args
    full = args[:1] == ["-f"]
    (path,) = without_dashes(args[1:] if full else args)
    if full:
        return said(call.machine.fs.real(path) + "\n")
    found = call.machine.fs.lookup(path, follow=False)
    return said(found.target + "\n") if found is not None and found.kind == "l" else Reply(1)
