"""docs/settings.md, made of the settings' model: `python -m cri_switch.model.settings_page > docs/settings.md`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from cri_switch.model.migration import Migration

_HEAD = """# Settings

One YAML file, the form in Prefect's UI and the parameters of a deployment are the same model. Unknown keys and wrong
types are refused, with their line. Paths may begin with `~`; relative ones are relative to the file. `cri-switch init`
writes a file to begin with.

Made by `python -m cri_switch.model.settings_page`.
"""


def page() -> str:
    """The whole page: a table for each section."""
    return "\n".join([_HEAD, *(_section(path, model) for path, model in sections(Migration, ""))])


def sections(model: type[BaseModel], path: str) -> Iterator[tuple[str, type[BaseModel]]]:
    """Every section with its path (`spec.drain`), in the order of the model."""
    yield path, model
    for name, field in model.model_fields.items():
        inner = _model_in(field.annotation)
        if inner is not None:
            yield from sections(inner, f"{path}.{name}".lstrip("."))


def _section(path: str, model: type[BaseModel]) -> str:
    title = f"## `{path}`" if path else "## The file"
    about = " ".join((model.__doc__ or "").split())
    rows = [_row(f"{path}.{name}".lstrip("."), field) for name, field in model.model_fields.items()]
    return "\n".join([title, "", about, "", "| Key | Takes | Default | Meaning |", "|---|---|---|---|", *rows, ""])


def _row(key: str, field: FieldInfo) -> str:
    inner = _model_in(field.annotation)
    meaning = field.description or (" ".join((inner.__doc__ or "").split()) if inner else "")
    default = "required" if field.is_required() else f"`{_default(field)}`"
    takes = "a section" if inner else _takes(field.annotation)
    return f"| `{key}` | {takes} | {default if not inner or field.is_required() else ''} | {meaning} |"


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    return json.dumps(value, default=str).replace("|", "\\|")


def _takes(annotation: Any) -> str:
    """In a reader's words: `a number`, `text`, `one of a, b`, `a list of text`."""
    origin, words = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(f"`{word}`" for word in words)
    if origin is list:
        return f"a list: {_takes(words[0])}"
    if annotation in (str, int, float, bool):
        return {str: "text", int: "a whole number", float: "a number", bool: "`true` or `false`"}[annotation]
    if hasattr(annotation, "__metadata__"):
        return _takes(words[0])
    if words:
        return " or ".join(dict.fromkeys(_takes(word) for word in words if word is not type(None)))
    return "text"


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The section that an annotation is, also an optional one."""
    for each in (annotation, *get_args(annotation)):
        if isinstance(each, type) and issubclass(each, BaseModel):
            return each
    return None


if __name__ == "__main__":
    sys.stdout.write(page())
