"""`cri-switch`: preflight, plan, migrate, deploy, unlock, version."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Annotated, TypeVar

from cyclopts import App, CycloptsError, Parameter

from cri_switch.cli import talk
from cri_switch.cli.demo import DEFAULT_FAULT
from cri_switch.cli.demo import Options as Demo
from cri_switch.cli.demo import demo as show
from cri_switch.cli.engine import prepare, quieten
from cri_switch.cli.offline import offline_plan
from cri_switch.cli.tables import plan_diff, plan_table, report_table
from cri_switch.cli.unlock import unlock as free_lease
from cri_switch.model.errors import CriSwitchError, PreflightError, UsageError
from cri_switch.model.finding import Findings
from cri_switch.model.migration import Migration
from cri_switch.model.plan import Plan
from cri_switch.model.report import Report
from cri_switch.model.settings_file import load_migration
from cri_switch.render.findings import findings_text

USAGE, INTERRUPTED = 2, 130

File = Annotated[str, Parameter(name=["--file", "-f"], help="Settings file (YAML).")]
Output = Annotated[talk.Output, Parameter(name=["--output", "-o"], help="What stdout gets.")]
Yes = Annotated[bool, Parameter(name=["--yes", "-y"], negative=(), help="Do it. Without it only the plan is printed.")]
Ignore = Annotated[
    str | None,
    Parameter(name="--ignore-preflight-errors", help="Errors to take as warnings: A,B (docs/findings.md), or all."),
]
Debug = Annotated[bool, Parameter(name="--debug", negative=(), help="Show tracebacks.")]

Answer = TypeVar("Answer")

app = App(
    name="cri-switch",
    help="Switch the container runtime of kubeadm clusters from Docker to containerd, node by node.",
    version=lambda: version_of("cri-switch"),
    help_format="plaintext",
)


@app.command
def preflight(
    *, file: File, ignore_preflight_errors: Ignore = None, output: Output = "table", debug: Debug = False
) -> None:
    """Look at the cluster and at every node that would be switched, and print all findings. Changes nothing.

    The exit code is 3 when errors are left.
    """
    migration = _ignoring(load_migration(file), ignore_preflight_errors)
    prepare()
    from flows.preflight_cluster import preflight_cluster  # noqa: PLC0415

    found = _run(preflight_cluster, migration, Findings, debug)
    talk.show(found, findings_text(found.findings), output)
    if found.errors:
        names = ", ".join(sorted({finding.name for finding in found.errors}))
        raise PreflightError(
            f"{len(found.errors)} errors stand in the way: {names}",
            state="nothing was touched",
            next_step="mend what is named and run the same command again",
        )


@app.command
def plan(
    *,
    file: Annotated[str | None, Parameter(name=["--file", "-f"], help="Settings file (YAML).")] = None,
    node_root: Annotated[Path | None, Parameter(help="Plan one node from a copy of its files, offline.")] = None,
    kubelet_version: Annotated[str | None, Parameter(help="With --node-root: the node's kubelet, v1.20.2.")] = None,
    target: Annotated[str, Parameter(help="With --node-root: the target runtime.")] = "containerd",
    target_version: Annotated[str | None, Parameter(help="With --node-root: its version, 1.4.13.")] = None,
    diff: Annotated[bool, Parameter(negative=(), help="Show what would change in every file.")] = False,
    ignore_preflight_errors: Ignore = None,
    output: Output = "table",
    debug: Debug = False,
) -> None:
    """Print which nodes would be switched, in which order, and why the others would not. Changes nothing.

    With --node-root no cluster is asked: what would change in one node's files is printed.
    """
    if node_root is not None:
        if file is not None or kubelet_version is None or target_version is None:
            raise UsageError("--node-root goes with --kubelet-version and --target-version, and without -f")
        _show_offline(node_root, kubelet_version, target, target_version, diff, output)
        return
    if file is None:
        raise UsageError("plan needs --file FILE (-f), or --node-root DIR", next_step="cri-switch plan --help")
    _show_plan(_ignoring(load_migration(file), ignore_preflight_errors), output, debug, diff=diff)


@app.command
def migrate(
    *,
    file: File,
    yes: Yes = False,
    dry_run: Annotated[bool, Parameter(negative=(), help="Execute the same flow and change nothing.")] = False,
    ignore_preflight_errors: Ignore = None,
    output: Output = "table",
    debug: Debug = False,
) -> None:
    """Switch the nodes, in this process. Without --yes: print the plan and change nothing."""
    migration = _ignoring(load_migration(file), ignore_preflight_errors)
    if dry_run:
        migration = migration.model_copy(update={"spec": migration.spec.model_copy(update={"dry_run": True})})
    if not yes and not migration.spec.dry_run:
        _show_plan(migration, output, debug)
        talk.say("Nothing was changed. Run again with --yes.")
        return
    prepare()
    from flows.migrate_cluster import migrate_cluster  # noqa: PLC0415 (Prefect takes seconds to import)

    try:
        _show_report(_run(migrate_cluster, migration, Report, debug), output)
    except CriSwitchError as problem:
        if isinstance(problem.report, Report):
            _show_report(problem.report, output)
        raise


@app.command
def rollback(node: str, /, *, file: File, yes: Yes = False, output: Output = "table", debug: Debug = False) -> None:
    """Take one node back to Docker, until Docker's packages are gone: drain, undo, prove, uncordon.

    Without --yes nothing is done.
    """
    migration = load_migration(file)
    if not yes:
        talk.say(f"{node} would be drained, taken back to Docker and uncordoned.")
        talk.say("Nothing was changed. Run again with --yes.")
        return
    prepare()
    from flows.rollback_node import rollback_node  # noqa: PLC0415

    try:
        _show_report(_run(partial(rollback_node, node=node), migration, Report, debug), output)
    except CriSwitchError as problem:
        if isinstance(problem.report, Report):
            _show_report(problem.report, output)
        raise


@app.command
def deploy(*, file: File, debug: Debug = False) -> None:  # noqa: ARG001 (`run` looks at it)
    """Register the deployments plan-cluster/NAME and migrate-cluster/NAME with this file's settings."""
    migration = load_migration(file)
    prepare()
    from cri_switch.cli.deploy import deploy as register  # noqa: PLC0415

    for name in register(migration):
        sys.stdout.write(name + "\n")


@app.command
def unlock(*, file: File, yes: Yes = False, debug: Debug = False) -> None:  # noqa: ARG001 (`run` looks at it)
    """Show who holds the cluster's Lease; with --yes free it. For a run that is dead for certain."""
    free_lease(load_migration(file), yes=yes)


@app.command
def demo(
    *,
    nodes: Annotated[int, Parameter(help="Nodes of the simulated cluster, all counted.")] = 11,
    control_planes: Annotated[int, Parameter(help="How many of them are control plane.")] = 3,
    speed: Annotated[float, Parameter(help="Simulated seconds that pass in a real one.")] = 10.0,
    fault: Annotated[
        str, Parameter(help="What goes wrong on one node, or none; a wrong name lists them.")
    ] = DEFAULT_FAULT,
    ui: Annotated[bool, Parameter(negative=(), help="Start Prefect's server, and keep it up until Ctrl-C.")] = False,
    output: Output = "table",
    debug: Debug = False,  # noqa: ARG001 (`run` looks at it)
) -> None:
    """Migrate a simulated cluster by the real flow: nothing real is touched, nothing but this program is needed."""
    show(Demo(nodes=nodes, control_planes=control_planes, speed=speed, fault=fault, ui=ui, output=output))


@app.command
def version() -> None:
    """Print the version."""
    sys.stdout.write(version_of("cri-switch") + "\n")


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


def _ignoring(migration: Migration, names: str | None) -> Migration:
    """The migration with these errors ignored too."""
    given = [name.strip() for name in (names or "").split(",") if name.strip()]
    if not given:
        return migration
    ignored = [*migration.spec.ignore_preflight_errors, *given]
    return migration.model_copy(update={"spec": migration.spec.model_copy(update={"ignore_preflight_errors": ignored})})


def _show_plan(migration: Migration, output: talk.Output, debug: bool, *, diff: bool = False) -> None:
    prepare()
    from flows.plan_cluster import plan_cluster  # noqa: PLC0415

    found = _run(partial(plan_cluster, diff=diff), migration, Plan, debug)
    talk.show(found, "\n\n".join([plan_table(found), *([plan_diff(found)] if found.files else [])]), output)


def _show_offline(root: Path, kubelet: str, target: str, version: str, diff: bool, output: talk.Output) -> None:
    found = offline_plan(root, kubelet_version=kubelet, target=target, target_version=version)
    talk.show(found.data(), found.text(diff=diff), output)
    if found.errors:
        names = ", ".join(sorted({finding.name for finding in found.errors}))
        raise PreflightError(
            f"{len(found.errors)} findings stand in the way: {names}", next_step="mend them on the node and plan again"
        )


def _show_report(report: Report, output: talk.Output) -> None:
    talk.show(report, report_table(report), output)


def _run(flow: Callable[[Migration], object], migration: Migration, kind: type[Answer], debug: bool) -> Answer:
    """The flow's answer, run in this process."""
    if not debug:
        quieten()
    answer = flow(migration)
    if not isinstance(answer, kind):
        raise TypeError(f"the flow answered {answer!r}, which is no {kind.__name__}")
    return answer
