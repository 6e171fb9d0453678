"""Docker's daemon.json, as far as another runtime or a human must know it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cri_switch.render.errors import RenderError

DAEMON_JSON = "/etc/docker/daemon.json"
_CGROUP_DRIVER = "native.cgroupdriver="
_KNOWN = frozenset(
    {
        "insecure-registries",
        "registry-mirrors",
        "data-root",
        "graph",
        "log-driver",
        "log-opts",
        "exec-opts",
        "live-restore",
        "default-runtime",
    }
)


@dataclass(frozen=True)
class DockerSettings:
    """What daemon.json says; a key that is not there has Docker's default. `unknown` are the names of all other keys.

    `cgroup_driver` is "" where exec-opts name none (Docker then chooses: `docker info` knows).
    """

    insecure_registries: tuple[str, ...] = ()
    registry_mirrors: tuple[str, ...] = ()
    data_root: str = "/var/lib/docker"
    log_driver: str = "json-file"
    log_opts: Mapping[str, str] = field(default_factory=dict)
    exec_opts: tuple[str, ...] = ()
    cgroup_driver: str = ""
    live_restore: bool = False
    default_runtime: str = "runc"
    unknown: tuple[str, ...] = ()


def parse_daemon_json(text: str | None, path: str = DAEMON_JSON) -> DockerSettings:
    """The settings in the file's text; None or an empty text is no file, which Docker allows.

    Raises: RenderError naming file and line for broken JSON, and the key for a value of the wrong type.
    """
    if text is None or not text.strip():
        return DockerSettings()
    try:
        data = json.loads(text, parse_constant=lambda name: _no_constant(name, text, path))
    except RecursionError:
        raise RenderError(path, 0, "not JSON: nested too deeply") from None
    except json.JSONDecodeError as error:
        raise RenderError(path, error.lineno, f"not JSON: {error.msg} (column {error.colno})") from None
    except ValueError as error:  # a number of thousands of digits
        raise RenderError(path, 0, f"not JSON: {error}") from None
    if not isinstance(data, dict):
        raise RenderError(path, 1, "not a JSON object")
    keys = _Keys(data, text, path)
    exec_opts = keys.texts("exec-opts")
    drivers = [option.removeprefix(_CGROUP_DRIVER) for option in exec_opts if option.startswith(_CGROUP_DRIVER)]
    return DockerSettings(
        insecure_registries=keys.texts("insecure-registries"),
        registry_mirrors=keys.texts("registry-mirrors"),
        data_root=keys.text("data-root") or keys.text("graph") or "/var/lib/docker",
        log_driver=keys.text("log-driver") or "json-file",
        log_opts=keys.mapping("log-opts"),
        exec_opts=exec_opts,
        cgroup_driver=drivers[-1] if drivers else "",
        live_restore=keys.boolean("live-restore"),
        default_runtime=keys.text("default-runtime") or "runc",
        unknown=tuple(sorted(set(data) - _KNOWN)),
    )


def _no_constant(name: str, text: str, path: str) -> None:
    """NaN and Infinity are Python's, not JSON's."""
    raise RenderError(path, text.partition(name)[0].count("\n") + 1, f"not JSON: {name} is no value")


@dataclass(frozen=True)
class _Keys:
    data: dict[str, Any]
    source: str
    path: str

    def text(self, key: str) -> str:
        value = self.data.get(key) or ""
        return value if isinstance(value, str) else self._wrong(key, "a string")

    def boolean(self, key: str) -> bool:
        value = self.data.get(key) or False
        return value if isinstance(value, bool) else bool(self._wrong(key, "true or false"))

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.data.get(key) or []
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            self._wrong(key, "a list of strings")
        return tuple(value)

    def mapping(self, key: str) -> dict[str, str]:
        value = self.data.get(key) or {}
        if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
            self._wrong(key, "an object of strings")
        return dict(value)

    def _wrong(self, key: str, shape: str) -> str:
        before = self.source.partition(f'"{key}"')[0]
        raise RenderError(self.path, before.count("\n") + 1, f"{key} is not {shape}")
