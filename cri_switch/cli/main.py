"""`cri-switch`: the commands of `cri_switch/cli/commands`, and the exit code of each end."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Sequence
from importlib.metadata import version as version_of

from cyclopts import App, CycloptsError

from cri_switch.cli import talk
from cri_switch.cli.completed import completed, help_of
from cri_switch.cli.exit_codes import exit_code_lines
from cri_switch.cli.manual import MANUAL
from cri_switch.model.errors import CriSwitchError, UsageError

USAGE, INTERRUPTED, SIGPIPE = 2, 130, 141

app = App(
    name="cri-switch",
    help="Switch the container runtime of kubeadm clusters from Docker to containerd, node by node.",
    version=lambda: version_of("cri-switch"),
    help_format="plaintext",
    help_epilogue=exit_code_lines(),
)
for _number, (_name, _page) in enumerate(MANUAL.items()):  # by name: only the command that was typed is imported
    app.command(
        f"cri_switch.cli.commands.{_name}:{_name}",
        name=_name,
        help=_page.text,
        help_epilogue=_page.shown(_name),
        sort_key=_number,
    )


def main(argv: Sequence[str] | None = None) -> None:
    """The entry point; ends the process with the exit code.

    What a terminal's encoding has no letter for is shown escaped; a reader that leaves (`| head`) is no error. Once the
    code is known, a further Ctrl-C or SIGTERM changes it no more.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = run(sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # so that the interpreter's own flush is silent
        code = SIGPIPE
    except KeyboardInterrupt:  # a further one, while the last word was said
        code = INTERRUPTED
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    sys.exit(code)


def run(argv: Sequence[str]) -> int:
    """The exit code: 0, 2 for a wrong command line, 130 when interrupted, else the error's own."""
    try:
        app(list(argv), exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as problem:
        talk.say(f"error: {' '.join(str(problem).split())}", "red")
        talk.say(f"state: {UsageError.usual_state}")
        talk.say(f"next: {help_of(argv)}")
        return USAGE
    except CriSwitchError as problem:
        if "--debug" in argv:
            talk.traceback()
        talk.complain(completed(problem, argv))
        return problem.exit_code
    except KeyboardInterrupt:
        if "--debug" in argv:
            talk.traceback()
        talk.say("error: interrupted", "red")
        talk.say("next: run the same command again: it goes on where this run stopped")
        return INTERRUPTED
    return 0
