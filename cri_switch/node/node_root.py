"""A node of which only a copy of its files is at hand: enough to plan it, for a ticket or a review."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import tomlkit

from cri_switch.node.command import Command, Result
from cri_switch.render.containerd_config import CONFIG_TOML
from cri_switch.render.docker_daemon import DAEMON_JSON, parse_daemon_json
from cri_switch.render.errors import RenderError
from cri_switch.render.toml_edit import parse_toml

_UNIT_DIRECTORIES = tuple(f"{above}/systemd/system" for above in ("etc", "run", "usr/local/lib", "usr/lib", "lib"))
_MISSING = "No such file or directory"


class NodeRootConnection:
    """Answers the reading commands of the actions from a directory; nothing of this machine is looked at.

    Symbolic links are followed inside the directory only, as they would be on the node. Units are known by their
    files alone and count as stopped (Docker as running where daemon.json names its cgroup driver, so that the kubelet's
    is compared with it); a question that only a live node could answer is answered with exit code 127. `assumed` are
    texts of files that are not in the copy, by path.
    """

    def __init__(
        self, root: Path, *, target_version: str, node: str = "", assumed: Mapping[str, str] | None = None
    ) -> None:
        self._root = root.resolve()
        self._version = target_version
        self._node = node or self._root.name or "node"
        self._assumed = assumed or {}

    @property
    def node(self) -> str:
        """The directory's name."""
        return self._node

    def close(self) -> None:
        """Nothing is open."""

    def run(self, command: Command) -> Result:
        """The answer that the node would give, as far as its files tell."""
        try:
            return self._answer(command)
        except OSError as problem:
            return Result(1, "", f"{command.argv[0]}: {problem.filename}: {problem.strerror}")

    def _answer(self, command: Command) -> Result:  # noqa: PLR0911 (one answer a question)
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
            case ("systemctl", "show", *_, "docker.service") if self._docker_driver():
                return Result(0, "Id=docker.service\nLoadState=loaded\nActiveState=active\nSubState=running\n")
            case ("docker", "info", "--format", "{{.CgroupDriver}}"):
                return Result(0, f"{self._docker_driver()}\n")
            case ("grep", "-s", "-a", "-H", "", "--", *paths):
                return self._grep(paths)
            case ("ls", "-1", path):
                folder = self._root / path.lstrip("/")
                names = sorted(each.name for each in folder.iterdir()) if folder.is_dir() else []
                return Result(0 if folder.is_dir() else 2, "".join(f"{name}\n" for name in names))
            case ("systemctl", "show", *_, "--", unit) | ("systemctl", "show", *_, unit):
                return Result(0, f"Id={unit}\nLoadState=not-found\nActiveState=inactive\nSubState=dead\n")
            case ("systemctl", "cat", unit):
                text = self._unit(unit)
                return Result(0 if text else 1, text)
            case ("containerd", "--version"):
                return Result(0, f"containerd containerd.io {self._version}\n")
            case ("containerd", "--config", "/dev/stdin", "config", "dump"):
                return self._dump((command.stdin or b"").decode("utf-8", "surrogateescape"))
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
        if found is None:
            return self._assumed[path].encode() if path in self._assumed else None
        return found.read_bytes()

    def _text(self, path: str) -> str | None:
        content = self._content(path)
        return None if content is None else content.decode("utf-8", "surrogateescape")

    def _docker_driver(self) -> str:
        try:
            return parse_daemon_json(self._text(DAEMON_JSON)).cgroup_driver
        except RenderError:
            return ""

    def _dump(self, text: str) -> Result:
        """containerd's merge of a config.toml with its imports: whole plugins are replaced, disabled ones are added."""
        try:
            merged = parse_toml(text, CONFIG_TOML)
            for pattern in merged.get("imports") or []:
                whole = posixpath.join(posixpath.dirname(CONFIG_TOML), pattern)
                folder = self._root / posixpath.dirname(whole).lstrip("/")
                for file in sorted(folder.glob(posixpath.basename(whole))) if folder.is_dir() else ():
                    path = f"{posixpath.dirname(whole)}/{file.name}"
                    part = parse_toml(self._text(path) or "", path)
                    disabled = [*merged.get("disabled_plugins", []), *part.get("disabled_plugins", [])]
                    plugins = {**merged.get("plugins", {}), **part.get("plugins", {})}
                    merged |= {**part, "disabled_plugins": disabled, "plugins": plugins}
        except RenderError as problem:
            return Result(1, "", f"containerd: {problem.what}")
        return Result(0, tomlkit.dumps(merged))

    def _cat(self, path: str) -> Result:
        text = self._text(path)
        return Result(1, "", f"cat: {path}: {_MISSING}") if text is None else Result(0, text)

    def _grep(self, paths: list[str]) -> Result:
        lines = [f"{path}:{line}" for path in paths for line in (self._text(path) or "").splitlines() if line]
        return Result(0 if lines else 1, "".join(f"{line}\n" for line in lines))

    def _unit(self, unit: str) -> str:
        """systemd.unit(5): the first unit file found, then all drop-ins, each after a `# /path` line."""
        texts = []
        for directory in _UNIT_DIRECTORIES:
            text = self._text(f"/{directory}/{unit}")
            if text is not None:
                texts.append(f"# /{directory}/{unit}\n{text}")
                break
        drop_ins: dict[str, str] = {}
        for directory in reversed(_UNIT_DIRECTORIES):
            folder = self._root / directory / f"{unit}.d"
            for file in sorted(folder.glob("*.conf")) if folder.is_dir() else ():
                path = f"/{directory}/{unit}.d/{file.name}"
                if (text := self._text(path)) is not None:
                    drop_ins[file.name] = f"# {path}\n{text}"
        return "\n".join([*texts, *(drop_ins[name] for name in sorted(drop_ins))])
