"""`cri-switch`: the commands of `cri_switch/cli/commands`, and the exit code of each end."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import version as version_of

from cyclopts import App, CycloptsError

from cri_switch.cli import talk
from cri_switch.cli.commands.demo import demo
from cri_switch.cli.commands.deploy import deploy
from cri_switch.cli.commands.migrate import migrate
from cri_switch.cli.commands.plan import plan
from cri_switch.cli.commands.preflight import preflight
from cri_switch.cli.commands.rollback import rollback
from cri_switch.cli.commands.unlock import unlock
from cri_switch.cli.commands.version import version
from cri_switch.model.errors import CriSwitchError

USAGE, INTERRUPTED = 2, 130

app = App(
    name="cri-switch",
    help="Switch the container runtime of kubeadm clusters from Docker to containerd, node by node.",
    version=lambda: version_of("cri-switch"),
    help_format="plaintext",
)
app.command(preflight)
app.command(plan)
app.command(migrate)
app.command(rollback)
app.command(deploy)
app.command(unlock)
app.command(demo)
app.command(version)


def main(argv: Sequence[str] | None = None) -> None:
    """The entry point; ends the process with the exit code."""
    sys.exit(run(sys.argv[1:] if argv is None else argv))


def run(argv: Sequence[str]) -> int:
    """The exit code: 0, 2 for a wrong command line, 130 when interrupted, else the error's own."""
    try:
        app(list(argv), exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as problem:
        talk.say(f"error: {' '.join(str(problem).split())}", "red")
        talk.say("next: cri-switch --help")
        return USAGE
    except CriSwitchError as problem:
        if "--debug" in argv:
            talk.traceback()
        talk.complain(problem)
        return problem.exit_code
    except KeyboardInterrupt:
        if "--debug" in argv:
            talk.traceback()
        talk.say("error: interrupted", "red")
        talk.say("next: run the same command again: it goes on where this run stopped")
        return INTERRUPTED
    return 0
