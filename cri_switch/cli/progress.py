"""What a run does, as it does it: a live table of nodes and steps on a terminal, plain lines elsewhere."""

from __future__ import annotations

import logging
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cri_switch.model.steps import STEPS
from cri_switch.render.visible import visible

_STEP = re.compile(r"^node=(\S+) step=(\S+) ([0-9.]+)s (.*)", re.S)
_FAILED = re.compile(r"^node=(\S+) step=(\S+) failed: ([^\n]*)")
_BACK = re.compile(r"^node=(\S+) step=rollback ([^\n]*)")
_ENGINE = ("Finished in state", "Task run failed", "Encountered an exception", "Flow run")
"""What Prefect itself says of a failure that the step has told already."""
_EVERY = 0.25


class Said(logging.Handler):
    """Keeps what the run's log says of steps; `line` gets each as plain text."""

    def __init__(self, line: Callable[[str], None], begun: float) -> None:
        super().__init__(logging.INFO)
        self.done: dict[str, dict[str, float]] = {}
        self.failed: dict[str, str] = {}
        self.last = ""
        self._line = line
        self._begun = begun

    def emit(self, record: logging.LogRecord) -> None:
        """One record of the run's log."""
        text = visible(record.getMessage())
        if found := _STEP.match(text):
            node, step, seconds, summary = found.groups()
            self.done.setdefault(node, {})[step] = float(seconds)
            self.failed.pop(node, None)
            text = f"{node:<5} {step:<18} {float(seconds):5.1f} s  {summary.splitlines()[0]}"
        elif found := _FAILED.match(text):
            node, step, why = found.groups()
            self.failed[node] = step
            text = f"{node:<5} {step:<18} failed: {why}"
        elif found := _BACK.match(text):
            node, what = found.groups()
            text = f"{node:<5} {'rollback':<18} {what}"
        elif record.levelno < logging.WARNING or record.exc_info or text.startswith(_ENGINE):
            return
        self.last = " ".join(text.split())
        self._line(f"{time.monotonic() - self._begun:6.1f} s  {text.splitlines()[0]}")


class _Silence(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002
        return False


def silence() -> None:
    """No line of the engine's own on the console any more; its server and our table keep getting them."""
    loggers = [logging.getLogger(), *(logging.getLogger(name) for name in list(logging.root.manager.loggerDict))]
    for handler in {each for logger in loggers for each in logger.handlers}:
        if type(handler).__name__ == "PrefectConsoleHandler":
            handler.addFilter(_Silence())


@contextmanager
def progress(
    title: str, stands: Callable[[], dict[str, str]], *, quiet: bool = False, begun: float | None = None
) -> Iterator[Said]:
    """Show a run on stderr until the block ends; call `silence` before.

    `stands` says at which step each node is; `quiet` shows nothing; `begun` (monotonic) is what times count from.
    """
    console = Console(stderr=True, highlight=False, markup=False)
    live_table = console.is_terminal and not quiet

    def line(text: str) -> None:
        if not (live_table or quiet):
            sys.stderr.write(text + "\n")
            sys.stderr.flush()

    said = Said(line, time.monotonic() if begun is None else begun)
    sources = [logging.getLogger(name) for name in ("prefect.flow_runs", "prefect.task_runs")]
    for logger in sources:
        logger.addHandler(said)
    try:
        if live_table:
            with _live(console, title, said, stands):
                yield said
        else:
            yield said
    finally:
        for logger in sources:
            logger.removeHandler(said)


@contextmanager
def _live(console: Console, title: str, said: Said, stands: Callable[[], dict[str, str]]) -> Iterator[None]:
    done = threading.Event()
    with Live(_table(title, said, stands()), console=console, auto_refresh=False, transient=True) as live:

        def draw() -> None:
            while not done.wait(_EVERY):
                live.update(_table(title, said, stands()), refresh=True)

        thread = threading.Thread(target=draw, name="cri-switch-live", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join(2)


def _table(title: str, said: Said, stands: dict[str, str]) -> Group:
    table = Table(title=f"migrate-cluster {title}", title_justify="left")
    for name in ("NODE", "STEP", "DONE", "SECONDS"):
        table.add_column(name)
    for node in sorted({*stands, *said.done}):
        steps = said.done.get(node, {})
        count = sum(1 for step in STEPS if step in steps)
        step, _, state = stands.get(node, "").partition(" ")
        if step == "rollback":
            style = "yellow"
        elif node in said.failed:
            style, step, state = "red", said.failed[node], "failed"
        elif count == len(STEPS):
            style, state = "green", ""
        else:
            style, state = ("", "") if "not" in state else ("dim", "done")
        bar = "█" * count + "·" * (len(STEPS) - count)
        table.add_row(node, f"{step} {state}".strip(), bar, f"{sum(steps.values()):.0f}", style=style or None)
    return Group(table, Text(said.last, style="dim", no_wrap=True, overflow="ellipsis"))
