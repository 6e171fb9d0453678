"""What is said to a person: on stderr, so that stdout is data only. NO_COLOR is rich's own."""

from __future__ import annotations

import json
import sys
from traceback import format_exc
from typing import TYPE_CHECKING, Any, Literal

from rich.console import Console

from cri_switch.model.errors import CriSwitchError
from cri_switch.render.visible import visible

if TYPE_CHECKING:
    from pydantic import BaseModel

Output = Literal["table", "json", "yaml"]


def say(text: str, style: str = "") -> None:
    """One message on stderr, as it is: no markup, no wrapping; what a terminal would obey is shown."""
    console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    console.print(visible(text), style=style or None)


def show(value: BaseModel | dict[str, Any], text: str, output: Output) -> None:
    """The answer on stdout: the value as JSON or YAML, or the text; what a terminal would obey is shown in it."""
    text = visible(text)
    data = value if isinstance(value, dict) else value.model_dump(mode="json")
    if output == "json":
        text = json.dumps(data, indent=2)
    elif output == "yaml":
        import yaml  # noqa: PLC0415 (`--help` needs none of it)

        text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True).rstrip("\n")
        if visible(text) != text:  # what turns a line's direction is a letter for YAML
            text = yaml.safe_dump(data, sort_keys=False).rstrip("\n")
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def traceback() -> None:
    """Where the error that is being handled came from."""
    sys.stderr.write(visible(format_exc()))


def complain(problem: CriSwitchError) -> None:
    """`error:`, `state:` and `next:`, each where there is something to say."""
    say(f"error: {problem.what}", "red")
    if problem.state:
        say(f"state: {problem.state}")
    if problem.next_step:
        say(f"next: {problem.next_step}")
