"""The schema of containerd's config.toml: which one a text has, and version 1 made into version 2."""

from __future__ import annotations

import re
from typing import Any

from cri_switch.render.errors import RenderError
from cri_switch.render.toml_edit import line_of, parse_toml

CRI = "io.containerd.grpc.v1.cri"
CRI_RUNTIME = "io.containerd.cri.v1.runtime"
CRI_IMAGES = "io.containerd.cri.v1.images"
CRI_NAMES = frozenset({"cri", CRI, CRI_RUNTIME, CRI_IMAGES})

_KINDS = {
    "io.containerd.grpc.v1": ("cri",),
    "io.containerd.snapshotter.v1": ("aufs", "btrfs", "devmapper", "native", "overlayfs", "zfs"),
    "io.containerd.internal.v1": ("opt", "restart"),
    "io.containerd.monitor.v1": ("cgroups",),
    "io.containerd.runtime.v1": ("linux",),
    "io.containerd.metadata.v1": ("bolt",),
    "io.containerd.gc.v1": ("scheduler",),
    "io.containerd.service.v1": ("diff-service",),
}
_URIS = {name: f"{kind}.{name}" for kind, names in _KINDS.items() for name in names}
_HEADER = re.compile(
    r"^([ \t]*\[[ \t]*plugins[ \t]*\.[ \t]*)"
    r"""("(?P<d>[^"\n]+)"|'(?P<s>[^'\n]+)'|(?P<b>[A-Za-z0-9_-]+))(?=[ \t]*[.\]])""",
    re.MULTILINE,
)


def uri(name: str, path: str) -> str:
    """A plugin's name as schema 2 wants it: `cri` -> `io.containerd.grpc.v1.cri`; RenderError for an unknown one."""
    if name.startswith("io.containerd."):
        return name
    if name not in _URIS:
        raise RenderError(
            path,
            0,
            f"plugin {name!r} of schema 1 is not known",
            next_step=f"write its full name io.containerd... in {path}",
        )
    return _URIS[name]


def schema_of(text: str, release: tuple[int, int], path: str) -> int:
    """The schema of a text: 1 where it says nothing; RenderError for one that this containerd cannot read."""
    schema = parse_toml(text, path).get("version", 1)
    newest = 2 if release < (2, 0) else 3 if release < (2, 3) else 4
    if not isinstance(schema, int) or isinstance(schema, bool) or not 1 <= schema <= newest:
        what = f"version = {schema!r} is not one that containerd {release[0]}.{release[1]} reads"
        raise RenderError(path, line_of(text, "version"), what)
    return schema


def newest_plain(release: tuple[int, int]) -> int:
    """The schema for a file that has none of its own and no plugin tables."""
    return 2 if release < (2, 0) else 3


def to_schema_2(text: str, path: str) -> str:
    """A text of schema 1 with its plugin tables under their names of schema 2; all else stays.

    Raises: RenderError for a plugin that is not known, or tables that are not plain `[plugins.NAME]` headers.
    """
    plugins = parse_toml(text, path).get("plugins", {})
    if not isinstance(plugins, dict):
        raise RenderError(path, line_of(text, "plugins"), "plugins is not a table")
    renamed = {uri(name, path): table for name, table in plugins.items()}
    result = _HEADER.sub(lambda match: f'{match[1]}"{_URIS.get(_name(match), _name(match))}"', text)
    after = parse_toml(result, path)
    if after.get("plugins", {}) != renamed or _without_plugins(after) != _without_plugins(parse_toml(text, path)):
        raise RenderError(
            path,
            0,
            "schema 1 with plugins that are not plain [plugins.NAME] tables cannot be made schema 2 safely",
            next_step=f"write {path} in schema 2 (version = 2), or move it away: Debian's defaults do",
        )
    return result


def with_version(text: str, schema: int) -> str:
    """A text that says no version, with one before its first line that is no comment."""
    lines = text.splitlines(keepends=True)
    place = next((n for n, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#")), len(lines))
    if lines and place == len(lines) and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    return "".join([*lines[:place], f"version = {schema}\n", *lines[place:]])


def _name(match: re.Match[str]) -> str:
    return match["d"] or match["s"] or match["b"]


def _without_plugins(data: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if key != "plugins"}
