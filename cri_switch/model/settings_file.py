"""The settings file: YAML to a Migration, every mistake in it named by file, line and key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from cri_switch.model.errors import SettingsError
from cri_switch.model.migration import Migration
from cri_switch.model.settings_mistakes import Keys, dotted, messages

PATHS: tuple[Keys, ...] = (
    ("spec", "cluster", "kubeconfig"),
    ("spec", "ssh", "config_file"),
    ("spec", "ssh", "inventory"),
    ("spec", "ssh", "identity_file"),
    ("spec", "ssh", "known_hosts"),
    ("spec", "backup", "directory"),
)
"""Settings that are paths: `~` is expanded, and relative ones are relative to the file that names them."""


def load_migration(path: str | Path) -> Migration:
    """The migration of a settings file.

    Raises:
        SettingsError: the file cannot be read or is not right; every mistake has a line of its own.
    """
    file = Path(path).expanduser()
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise _refused(f"cannot read the settings file {path}: {_reason(problem)}") from problem
    return parse_migration(text, file)


def parse_migration(text: str, file: Path) -> Migration:
    """The migration of a settings file's text; `file` is what messages and relative paths refer to."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        values = yaml.safe_load(text)
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        line = f":{mark.line + 1}" if mark else ""
        raise _refused(f"{file}{line}: not YAML: {problem.problem or problem.context}") from problem
    except (yaml.YAMLError, ValueError) as problem:
        raise _refused(f"{file}: not YAML: {problem}") from problem
    if root is None:
        raise _refused(f"{file}: the settings file is empty")
    lines: dict[Keys, int] = {}
    twice = [f"{file}:{line}: {dotted(keys)}: given twice" for keys, line in _walk(root, (), lines, ())]
    if twice:
        raise _refused("\n".join(twice))
    try:
        return Migration.model_validate(_with_paths(values, file), strict=True)
    except ValidationError as problem:
        found = messages(problem.errors(), lines)
        raise _refused("\n".join(f"{file}:{line}: {message}" for line, message in found)) from problem


def _walk(
    node: yaml.Node, keys: Keys, lines: dict[Keys, int], above: tuple[yaml.Node, ...]
) -> Iterator[tuple[Keys, int]]:
    """Note the line of every key; yields the keys that a mapping has twice (YAML would take the last)."""
    lines.setdefault(keys, node.start_mark.line + 1)
    if node in above:
        return
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in seen:
                yield (*keys, name), line
            seen.add(name)
            lines[*keys, name] = line
            yield from _walk(value, (*keys, name), lines, (*above, node))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _walk(value, (*keys, index), lines, (*above, node))


def _with_paths(values: Any, file: Path) -> Any:
    """The values with the settings of PATHS made absolute; what is not there or no text is left for the model."""
    for *sections, name in PATHS:
        section = values
        for key in sections:
            section = section.get(key) if isinstance(section, dict) else None
        if isinstance(section, dict) and isinstance(section.get(name), str) and section[name]:
            try:
                section[name] = str(file.absolute().parent / Path(section[name]).expanduser())
            except RuntimeError as problem:
                raise _refused(f"{file}: {dotted((*sections, name))}: {section[name]}: {problem}") from problem
    return values


def _reason(problem: OSError | UnicodeDecodeError) -> str:
    return problem.strerror or str(problem) if isinstance(problem, OSError) else "it is not UTF-8 text"


def _refused(what: str) -> SettingsError:
    return SettingsError(what, state="nothing was touched", next_step="correct the file and run the same command again")
