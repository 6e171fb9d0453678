"""crictl's settings file: which socket it asks."""

from __future__ import annotations

import re

from cri_switch.render.errors import RenderError
from cri_switch.render.yaml_text import parse_mapping

CRICTL_YAML = "/etc/crictl.yaml"
_KEYS = ("runtime-endpoint", "image-endpoint")


def crictl_yaml(text: str | None, endpoint: str) -> str:
    """The file's text with both endpoints set; other lines stay, a repeated key is left once, None is no file.

    Raises:
        RenderError: it is not a YAML mapping, or one that cannot be edited line by line.
    """
    parse_mapping(text, CRICTL_YAML)
    lines = (text or "").splitlines(keepends=True)
    for key in _KEYS:
        wish = f"{key}: {endpoint}"
        places = [number for number, line in enumerate(lines) if re.match(rf"(['\"]?){key}\1\s*:", line)]
        if not places:
            if lines and not lines[-1].endswith("\n"):
                lines[-1] += "\n"
            lines.append(f"{wish}\n")
            continue
        if lines[places[0]].split("#")[0].strip() != wish:
            ending = "\n" if lines[places[0]].endswith("\n") else ""
            lines[places[0]] = wish + ending
        for number in reversed(places[1:]):
            del lines[number]
    result = "".join(lines)
    try:
        if all(parse_mapping(result, CRICTL_YAML).get(key) == endpoint for key in _KEYS):
            return result
    except RenderError:
        pass
    raise RenderError(CRICTL_YAML, 0, "cannot be edited safely", next_step="write each key on a line of its own")
