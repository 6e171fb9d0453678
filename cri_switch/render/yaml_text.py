"""A YAML file's mapping; a text that is none is told with its line."""

from __future__ import annotations

from typing import Any

import yaml

from cri_switch.render.errors import RenderError


def parse_mapping(text: str | None, path: str) -> dict[Any, Any]:
    """The mapping at the top; a file that is not there, or says nothing, is an empty one.

    Raises:
        RenderError: it is not YAML, or no mapping.
    """
    try:
        document = yaml.safe_load(text or "")
    except RecursionError:
        raise RenderError(path, 0, "not YAML: nested too deeply") from None
    except yaml.reader.ReaderError as problem:
        line = (text or "").count("\n", 0, problem.position) + 1
        raise RenderError(path, line, f"not YAML: {problem.reason}") from problem
    except yaml.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        what = getattr(problem, "problem", None) or str(problem)
        raise RenderError(path, mark.line + 1 if mark else 0, f"not YAML: {what}") from problem
    except ValueError as problem:  # a date that is none, a number of thousands of digits
        raise RenderError(path, 0, f"not YAML: {problem}") from problem
    if not isinstance(document or {}, dict):
        raise RenderError(path, 1, "no mapping at the top")
    return document or {}
