"""A node of which only a copy of its files is at hand: enough to plan it, for a ticket or a review."""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePosixPath

from cri_switch.node.command import Command, Result

_UNIT_DIRECTORIES = tuple(f"{above}/systemd/system" for above in ("etc", "run", "usr/local/lib", "usr/lib", "lib"))
_MISSING = "No such file or directory"


class NodeRootConnection:
    """Answers the reading commands of the actions from a directory; nothing of this machine is looked at.

    Symbolic links are followed inside the directory only, as they would be on the node. Units are known by their
    files alone and count as stopped; a question that only a live node could answer is answered with exit code 127.
    """

    def __init__(self, root: Path, *, target_version: str, node: str = "") -> None:
        self._root = root.resolve()
        self._version = target_version
        self._node = node or root.name or "node"

    @property
    def node(self) -> str:
        """The directory's name."""
        return self._node

    def close(self) -> None:
        """Nothing is open."""

    def run(self, command: Command) -> Result:  # noqa: PLR0911 (one answer a question)
        """The answer that the node would give, as far as its files tell."""
        match command.argv:
            case ("cat", "--", path) | ("cat", path):
                return self._cat(path)
            case ("sha256sum", "--", path):
                content = self._content(path)
                if content is None:
                    return Result(1, "", f"sha256sum: {path}: {_MISSING}")
                return Result(0, f"{hashlib.sha256(content).hexdigest()}  {path}\n")
            case ("grep", "-s", "-H", ".", "--", *paths):
                return self._grep(paths)
            case ("systemctl", "show", *_, "--", unit) | ("systemctl", "show", *_, unit):
                return Result(0, f"Id={unit}\nLoadState=not-found\nActiveState=inactive\nSubState=dead\n")
            case ("systemctl", "cat", unit):
                text = self._unit(unit)
                return Result(0 if text else 1, text)
            case ("containerd", "--version"):
                return Result(0, f"containerd containerd.io {self._version}\n")
            case ("containerd", "--config", "/dev/stdin", "config", "dump"):
                return Result(0, (command.stdin or b"").decode())
        return Result(127, "", f"{command.argv[0]}: command not found")

    def path(self, path: str) -> Path | None:
        """Where a file of the node lies in the copy, None where it is not there."""
        here = self._root
        parts = [part for part in PurePosixPath(path).parts if part != "/"]
        hops = 0
        while parts:
            part = parts.pop(0)
            if part == "..":
                here = here.parent if here != self._root else here
                continue
            here /= part
            if here.is_symlink():
                hops += 1
                if hops > 40:
                    return None
                target = here.readlink()
                here = self._root if target.is_absolute() else here.parent
                parts = [p for p in PurePosixPath(target.as_posix()).parts if p != "/"] + parts
        return here if here.is_file() else None

    def _content(self, path: str) -> bytes | None:
        found = self.path(path)
        return found.read_bytes() if found else None

    def _cat(self, path: str) -> Result:
        content = self._content(path)
        if content is None:
            return Result(1, "", f"cat: {path}: {_MISSING}")
        return Result(0, content.decode("utf-8", "surrogateescape"))

    def _grep(self, paths: list[str]) -> Result:
        found = [(path, self._content(path)) for path in paths]
        lines = [
            f"{path}:{line}" for path, content in found if content for line in content.decode().splitlines() if line
        ]
        return Result(0 if lines else 1, "".join(f"{line}\n" for line in lines))

    def _unit(self, unit: str) -> str:
        """systemd.unit(5): the first unit file found, then all drop-ins, each after a `# /path` line."""
        texts = []
        for directory in _UNIT_DIRECTORIES:
            content = self._content(f"{directory}/{unit}")
            if content is not None:
                texts.append(f"# /{directory}/{unit}\n{content.decode()}")
                break
        drop_ins: dict[str, str] = {}
        for directory in reversed(_UNIT_DIRECTORIES):
            folder = self._root / directory / f"{unit}.d"
            for file in sorted(folder.glob("*.conf")) if folder.is_dir() else ():
                drop_ins[file.name] = f"# /{directory}/{unit}.d/{file.name}\n{file.read_text()}"
        return "\n".join([*texts, *(drop_ins[name] for name in sorted(drop_ins))])
