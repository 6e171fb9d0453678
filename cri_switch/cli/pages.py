"""The pages of docs/commands, made of what `--help` prints: `python -m cri_switch.cli.pages docs/commands`."""

from __future__ import annotations

import io
import sys
from pathlib import Path

from rich.console import Console

from cri_switch.cli.main import app
from cri_switch.cli.manual import MANUAL

_WIDTH = 100
_MADE = "Made of `--help` by `python -m cri_switch.cli.pages docs/commands`."


def pages() -> dict[str, str]:
    """Every page by its file's name."""
    rows = [f"| [`{name}`]({name}.md) | {page.summary} |" for name, page in sorted(MANUAL.items())]
    index = "\n".join(["# Commands", "", "| Command | |", "|---|---|", *rows, ""])
    found = {"README.md": f"{index}\n```text\n{help_text()}\n```\n\n{_MADE}\n"}
    for name in MANUAL:
        found[f"{name}.md"] = f"# cri-switch {name}\n\n```text\n{help_text(name)}\n```\n\n{_MADE}\n"
    return found


def help_text(*words: str) -> str:
    """What `cri-switch WORDS --help` prints on a terminal without colours."""
    written = io.StringIO()
    app.help_print(words, console=Console(file=written, width=_WIDTH, color_system=None, legacy_windows=False))
    return "\n".join(line.rstrip() for line in written.getvalue().strip().splitlines())


def write(directory: Path) -> None:
    """Write them all, and take away what is no page any more."""
    directory.mkdir(parents=True, exist_ok=True)
    made = pages()
    for path in directory.glob("*.md"):
        if path.name not in made:
            path.unlink()
    for name, text in made.items():
        (directory / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
