"""YAML as Ansible writes it."""

from __future__ import annotations

from typing import Any

import yaml

from cri_switch.render.errors import RenderError

Vars = dict[str, Any]


class _Loader(yaml.SafeLoader):
    """Ansible's own tags (!vault, !unsafe) are taken for what nobody here reads."""


_Loader.add_multi_constructor("!", lambda _loader, _suffix, _node: None)


def load_vars(text: str, path: str) -> Vars:
    """A mapping of YAML; an empty file is an empty one. Raises RenderError."""
    try:
        found = yaml.load(text, Loader=_Loader)  # noqa: S506 (a SafeLoader)
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark
        raise RenderError(path, mark.line + 1 if mark else 0, f"not YAML: {problem.problem}") from problem
    except (yaml.YAMLError, ValueError) as problem:
        raise RenderError(path, 0, f"not YAML: {problem}") from problem
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise RenderError(path, 1, "not a mapping")
    return found
