"""Text of nodes and files as a terminal may have it."""

from __future__ import annotations

import re

_HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters but tab and line feed, and those that turn the direction of what follows."""


def visible(text: str) -> str:
    r"""Characters that a terminal would obey are shown as `\x1b`: a file's line must not clear the screen."""
    return _HARMFUL.sub(lambda found: ascii(found[0])[1:-1], text)
