"""What a program wrote on a terminal as a web page, to be looked at."""

from __future__ import annotations

import io

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

_PAGE = """\
<!DOCTYPE html><meta charset="utf-8"><title>{title}</title>
<style>{{stylesheet}} html {{{{ overflow: hidden }}}} body {{{{ margin: 0; padding: 14px; width: max-content;
color: {{foreground}}; background: {{background}} }}}}
pre {{{{ margin: 0; font: 14px/1.2 "DejaVu Sans Mono", monospace }}}}</style>
<body><pre>{{code}}</pre></body>
"""


def page(seen: str, *, columns: int, title: str) -> str:
    """HTML of it, as a terminal of so many columns shows it: a longer line goes on in the next, wherever that is."""
    console = Console(file=io.StringIO(), record=True, width=columns, force_terminal=True, color_system="truecolor")
    for line in Text.from_ansi(seen.replace("\r\n", "\n")).split("\n", allow_blank=True):
        line.expand_tabs(8)
        for part in line.divide(range(columns, len(line), columns)) if len(line) > columns else [line]:
            console.print(part, no_wrap=True, overflow="ignore", crop=False)
    return console.export_html(theme=MONOKAI, code_format=_PAGE.format(title=title), inline_styles=False)
