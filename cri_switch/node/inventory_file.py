"""The Ansible or Kubespray inventory on this machine, with group_vars and host_vars beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from cri_switch.model.errors import SettingsError
from cri_switch.render.ansible_yaml import Vars, load_vars
from cri_switch.render.inventory import InventoryHost, hosts_of
from cri_switch.render.inventory_groups import parse_groups

_NAMES = ("hosts.yaml", "hosts.yml", "inventory.ini", "hosts.ini", "hosts")
"""What a directory's own file is called: Kubespray's names."""


def inventory_hosts(inventory: str) -> Mapping[str, InventoryHost]:
    """The cluster's hosts by the node's name; an inventory that is a directory is looked into.

    Raises:
        SettingsError: it cannot be read. RenderError: it is not understood.
    """
    path = Path(inventory).expanduser()
    if path.is_dir():
        found = [path / name for name in _NAMES if (path / name).is_file()]
        if not found:
            raise SettingsError(f"ssh.inventory {path}: none of {', '.join(_NAMES)} is in this directory")
        path = found[0]
    try:
        changed = max(file.stat().st_mtime_ns for file in (path, *_beside(path)))
        return _hosts(path, changed)
    except OSError as problem:
        raise SettingsError(f"ssh.inventory {path} cannot be read: {problem.strerror or problem}") from problem


@lru_cache(maxsize=8)
def _hosts(path: Path, _changed: int) -> Mapping[str, InventoryHost]:
    more: dict[str, Vars] = {}
    for file in _beside(path):
        parts = file.relative_to(path.parent).with_suffix("").parts  # group_vars/all, group_vars/all/more
        more.setdefault("/".join(parts[:2]), {}).update(load_vars(file.read_text(encoding="utf-8"), str(file)))
    return hosts_of(parse_groups(path.read_text(encoding="utf-8"), str(path)), more, str(path))


def _beside(path: Path) -> Iterator[Path]:
    """Files of group_vars and host_vars: NAME, NAME.yml, or a directory NAME of such files; no encrypted ones."""
    for kind in ("group_vars", "host_vars"):
        for file in sorted((path.parent / kind).glob("**/*")):
            if file.is_file() and file.suffix in ("", ".yml", ".yaml") and not _encrypted(file):
                yield file


def _encrypted(file: Path) -> bool:
    with file.open("rb") as content:
        return content.read(14) == b"$ANSIBLE_VAULT"
