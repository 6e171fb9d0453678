"""What is said to a person: on stderr, so that stdout is data only. NO_COLOR is rich's own."""

from __future__ import annotations

import json
import sys
from traceback import format_exc
from typing import Literal

from pydantic import BaseModel
from rich.console import Console

from cri_switch.model.errors import CriSwitchError

Output = Literal["table", "json"]


def say(text: str, style: str = "") -> None:
    """One message on stderr, as it is: no markup, no wrapping."""
    console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    console.print(text, style=style or None)


def show(value: BaseModel, text: str, output: Output) -> None:
    """The answer on stdout: the model as JSON, or the text."""
    lines = json.dumps(value.model_dump(mode="json"), indent=2) if output == "json" else text
    sys.stdout.write(lines + "\n")
    sys.stdout.flush()


def traceback() -> None:
    """Where the error that is being handled came from."""
    sys.stderr.write(format_exc())


def complain(problem: CriSwitchError) -> None:
    """`error:`, `state:` and `next:`, each where there is something to say."""
    say(f"error: {problem.what}", "red")
    if problem.state:
        say(f"state: {problem.state}")
    if problem.next_step:
        say(f"next: {problem.next_step}")
