"""dd, install, chown, chmod, mv, cp, rm, mkdir: they change files."""

from __future__ import annotations

import copy
import posixpath

from cri_switch.rehearsal.filesystem import MISSING, FsError
from cri_switch.rehearsal.reply import Call, Reply, UnknownUse, after, failed, without_dashes


def dd(call: Call) -> Reply:
    """`dd [if=/dev/null] of=FILE [oflag=append,nofollow] conv=[notrunc,nocreat,]fsync status=none`, from stdin.

    Also `dd if=/dev/zero of=FILE bs=1M count=N conv=fsync status=none`.
    """
    given = dict(word.partition("=")[::2] for word in call.args)
    if given.get("if") == "/dev/zero":
        return _zeros(call, given)
    content = b"" if given.pop("if", "") == "/dev/null" else call.stdin
    path, conv = given.pop("of"), given.pop("conv", "").split(",")
    flags = {word for word in given.pop("oflag", "").split(",") if word}
    if (
        given.pop("status", "") != "none"
        or given
        or flags - {"append", "nofollow"}
        or set(conv) - {"notrunc", "nocreat", "fsync"}
    ):
        raise UnknownUse(f"dd {given}")
    if "nocreat" in conv and not call.machine.fs.exists(path):
        return failed(f"dd: failed to open '{path}': {MISSING}")
    there = call.machine.fs.lookup(path, follow=False)
    if "nofollow" in flags and there is not None and there.kind == "l":
        return failed(f"dd: failed to open '{path}': Too many levels of symbolic links")
    try:
        call.machine.fs.write(path, content, append="append" in flags)
    except FsError as problem:
        return failed(f"dd: failed to open '{path}': {problem.words}")
    return Reply()


def _zeros(call: Call, given: dict[str, str]) -> Reply:
    if given.keys() != {"if", "of", "bs", "count", "conv", "status"} or given["bs"] != "1M":
        raise UnknownUse(f"dd {given}")
    try:
        size = int(given["count"]) << 20
        call.machine.fs.take(given["of"], size)
        call.machine.fs.write(given["of"], b"").size = size
    except FsError as problem:
        return failed(f"dd: failed to open '{given['of']}': {problem.words}")
    return Reply()


def install(call: Call) -> Reply:
    """`install -d -m MODE [--] DIR...` and `install -m MODE [--] /dev/null FILE`."""
    args, fs = call.args, call.machine.fs
    if args[:1] == ["-d"]:
        mode, *rest = after(args[1:], "-m")
        for path in without_dashes(rest):
            fs.mkdir(path)  # those above it have no mode from `install`
            fs.entry(path).mode = int(mode, 8)
        return Reply()
    mode, *rest = after(args, "-m")
    source, target = without_dashes(rest)
    if source != "/dev/null":
        raise UnknownUse(f"install {source}")
    try:
        if fs.lookup(target, follow=False) is not None:
            fs.remove(target)
        fs.write(target, b"", int(mode, 8))
    except FsError as problem:
        return failed(f"install: cannot create regular file '{target}': {problem.words}")
    return Reply()


def chown(call: Call) -> Reply:
    """`chown --reference=FILE -- FILE...` or `chown USER:GROUP -- FILE...`."""
    first, *rest = call.args
    name, equals, source = first.partition("=")
    owner = call.machine.fs.entry(source).owner if equals and name == "--reference" else first
    for path in without_dashes(rest):
        call.machine.fs.entry(path).owner = owner
    return Reply()


def chmod(call: Call) -> Reply:
    """`chmod --reference=FILE -- FILE...` or `chmod 0644 -- FILE...`."""
    first, *rest = call.args
    name, equals, source = first.partition("=")
    mode = call.machine.fs.entry(source).mode if equals and name == "--reference" else int(first, 8)
    for path in without_dashes(rest):
        call.machine.fs.entry(path).mode = mode
    return Reply()


def mv(call: Call) -> Reply:
    """`mv -fT -- SOURCE TARGET`."""
    source, target = without_dashes(after(call.args, "-fT"))
    try:
        call.machine.fs.rename(source, target)
    except FsError as problem:
        return failed(f"mv: cannot stat '{problem.path}': {problem.words}")
    return Reply()


def cp(call: Call) -> Reply:
    """`cp -aT|-T [--remove-destination] [--preserve=mode,ownership,xattr] -- SOURCE TARGET`."""
    args = call.args
    keep_time = args[:1] == ["-aT"]
    if args[:1] not in (["-aT"], ["-T"]):
        raise UnknownUse("cp")
    args = args[1:]
    while args and args[0].startswith(("--remove-destination", "--preserve=")):
        args = args[1:]
    source, target = without_dashes(args)
    fs = call.machine.fs
    found = fs.lookup(source, follow=False)
    if found is None:
        return failed(f"cp: cannot stat '{source}': {MISSING}")
    old = fs.lookup(target, follow=False)
    try:
        fs.take(target, found.length - (old.length if old is not None else 0))
    except FsError as problem:
        return failed(f"cp: error writing '{target}': {problem.words}")
    made = copy.deepcopy(found)
    if not keep_time:
        made.mtime = call.machine.now()
    fs.entry(posixpath.dirname(target)).children[posixpath.basename(target)] = made
    return Reply()


def rm(call: Call) -> Reply:
    """`rm -f|-rf [--one-file-system] [--] PATH...`."""
    args, recursive = call.args, False
    while args and args[0].startswith("-") and args[0] != "--":
        if args[0] not in ("-f", "-rf", "-r", "--one-file-system"):
            raise UnknownUse(f"rm {args[0]}")
        recursive = recursive or ("r" in args[0].lstrip("-")[:2] and args[0] != "--one-file-system")
        args = args[1:]
    err = ""
    for path in without_dashes(args):
        found = call.machine.fs.lookup(path, follow=False)
        if found is None:
            continue
        if found.kind == "d" and not recursive:
            err += f"rm: cannot remove '{path}': Is a directory\n"
            continue
        call.machine.fs.remove(path, recursive=recursive)
    return Reply(1 if err else 0, b"", err)


def mkdir(call: Call) -> Reply:
    """`mkdir -p -- DIR...`."""
    for path in without_dashes(after(call.args, "-p")):
        call.machine.fs.mkdir(path)
    return Reply()
