"""A node of which only a copy of its files is at hand: enough to plan it, for a ticket or a review."""

from __future__ import annotations

import fnmatch
import hashlib
import posixpath
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import tomlkit

from cri_switch.node.command import Command, Result
from cri_switch.node.copied_files import CopiedFiles
from cri_switch.render.containerd_config import CONFIG_TOML
from cri_switch.render.docker_daemon import DAEMON_JSON, parse_daemon_json
from cri_switch.render.errors import RenderError
from cri_switch.render.toml_edit import line_of, parse_toml, texts_only

_UNIT_DIRECTORIES = tuple(f"{above}/systemd/system" for above in ("etc", "run", "usr/local/lib", "usr/lib", "lib"))


class NodeRootConnection:
    """Answers the reading commands of the actions from a directory; nothing of this machine is looked at.

    Units are known by their files alone and count as stopped (Docker as running where daemon.json names its cgroup
    driver, so that the kubelet's is compared with it); a question that only a live node could answer is answered with
    exit code 127. `files.refused` grows as files are asked for.
    """

    def __init__(
        self, root: Path, *, target_version: str, node: str = "", assumed: Mapping[str, str] | None = None
    ) -> None:
        self.files = CopiedFiles(root, assumed)
        self._version = target_version
        self._node = node or root.resolve().name or "node"

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
                text = self.files.text(path)
                return self._refusal(command, path) if text is None else Result(0, text)
            case ("sha256sum", "--", path):
                text = self.files.text(path)
                if text is None:
                    return self._refusal(command, path)
                return Result(0, f"{hashlib.sha256(text.encode('utf-8', 'surrogateescape')).hexdigest()}  {path}\n")
            case ("grep", "-s", "-H", ".", "--", *paths):
                return self._grep(paths)
            case ("systemctl", "show", *_, "docker.service") if self._docker_driver():
                return Result(0, "Id=docker.service\nLoadState=loaded\nActiveState=active\nSubState=running\n")
            case ("docker", "info", "--format", "{{.CgroupDriver}}"):
                return Result(0, f"{self._docker_driver()}\n")
            case ("grep", "-s", "-a", "-H", "", "--", *paths):
                return self._grep(paths)
            case ("ls", "-1", path):
                names = self.files.names(path)
                return self._refusal(command, path, 2) if names is None else Result(0, "".join(f"{n}\n" for n in names))
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

    def _refusal(self, command: Command, path: str, rc: int = 1) -> Result:
        return Result(rc, "", f"{command.argv[0]}: {path}: {self.files.why_not(path)}")

    def _docker_driver(self) -> str:
        try:
            return parse_daemon_json(self.files.text(DAEMON_JSON)).cgroup_driver
        except RenderError:
            return ""

    def _dump(self, text: str) -> Result:
        """containerd's merge of a config.toml with its imports: whole plugins are replaced, disabled ones are added."""
        try:
            merged = parse_toml(text, CONFIG_TOML)
            for part in self._imported(merged.get("imports") or []):
                disabled = [*merged.get("disabled_plugins", []), *part.get("disabled_plugins", [])]
                plugins = {**merged.get("plugins", {}), **part.get("plugins", {})}
                merged |= {**part, "disabled_plugins": disabled, "plugins": plugins}
        except RenderError as problem:
            return Result(1, "", f"containerd: {problem.what}")
        return Result(0, tomlkit.dumps(merged))

    def _imported(self, patterns: list[str]) -> Iterator[dict[str, Any]]:
        """What each file says, as containerd finds them: names with a `*` may match none, others must be there.

        Raises: RenderError where containerd would not start with it.
        """
        for pattern in patterns:
            folder, name = posixpath.split(posixpath.join(posixpath.dirname(CONFIG_TOML), pattern))
            found = [name]
            if "*" in pattern:
                found = [each for each in self.files.names(folder) or [] if fnmatch.fnmatchcase(each, name)]
            for path in (posixpath.join(folder, each) for each in found):
                text = self.files.text(path)
                if text is None:
                    raise RenderError(path, 0, f"it is imported: {self.files.why_not(path)}")
                part = parse_toml(text, path)
                fits = {
                    "disabled_plugins": texts_only(part.get("disabled_plugins", [])),
                    "plugins": isinstance(part.get("plugins", {}), dict),
                }
                for key in (key for key, right in fits.items() if not right):
                    raise RenderError(path, line_of(text, key), f"{key} is of the wrong kind")
                yield part

    def _grep(self, paths: list[str]) -> Result:
        lines = [f"{path}:{line}" for path in paths for line in (self.files.text(path) or "").splitlines() if line]
        return Result(0 if lines else 1, "".join(f"{line}\n" for line in lines))

    def _unit(self, unit: str) -> str:
        """systemd.unit(5): the first unit file found, then all drop-ins, each after a `# /path` line."""
        texts = []
        for directory in _UNIT_DIRECTORIES:
            text = self.files.text(f"/{directory}/{unit}")
            if text is not None:
                texts.append(f"# /{directory}/{unit}\n{text}")
                break
        drop_ins: dict[str, str] = {}
        for directory in reversed(_UNIT_DIRECTORIES):
            folder = f"/{directory}/{unit}.d"
            for name in self.files.names(folder) or []:
                if name.endswith(".conf") and (text := self.files.text(f"{folder}/{name}")) is not None:
                    drop_ins[name] = f"# {folder}/{name}\n{text}"
        return "\n".join([*texts, *(drop_ins[name] for name in sorted(drop_ins))])
