"""`cri-switch demo`: the real flow on a simulated cluster, from nothing to the table of what was done."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from cri_switch.cli import talk
from cri_switch.cli.demo_options import DEFAULT_FAULT, Options, check, wish
from cri_switch.cli.demo_runs import engine, merged, runs
from cri_switch.cli.prefect_server import LocalServer
from cri_switch.cli.tables import report_table
from cri_switch.model.errors import CriSwitchError
from cri_switch.model.report import Report
from cri_switch.model.settings_file import load_migration
from cri_switch.rehearsal.process import RehearsalFailed, RehearsalProcess
from cri_switch.rehearsal.seen import Seen

__all__ = ["DEFAULT_FAULT", "Options", "demo"]


def demo(options: Options) -> None:
    """Run it; the answer is on stdout, everything else on stderr.

    Raises:
        UsageError: no such fault, or no such cluster.
        CriSwitchError: what ended the last run; the simulator saw a broken promise.
    """
    check(options)
    started = time.monotonic()
    reports: list[Report] = []
    problem: CriSwitchError | None = None
    with tempfile.TemporaryDirectory(prefix="cri-switch-demo-") as folder:
        directory = Path(folder)
        with _server(directory, options) as server, _rehearsal(directory / "cluster", options) as rehearsal:
            import flows.migrate_cluster  # noqa: F401, PLC0415 (while the other two come up)

            settings = rehearsal.wait()
            server.wait_up()
            talk.say("The flow migrate-cluster begins ...")
            try:
                runs(load_migration(str(settings)), options, reports)
            except CriSwitchError as ended:
                problem = ended
            seen = rehearsal.seen()
            if reports:
                _show(merged(reports), options, time.monotonic() - started)
            _judge(seen)
            if options.ui:
                talk.say(f"The flow run in Prefect's UI: {server.last_run('migrate-cluster')} (Ctrl-C ends it)", "bold")
                server.wait()
    if problem is not None:
        raise problem


@contextlib.contextmanager
def _rehearsal(directory: Path, options: Options) -> Iterator[RehearsalProcess]:
    directory.mkdir(mode=0o700)
    talk.say(
        f"A simulated cluster of {options.nodes} nodes, {options.control_planes} of them control plane, is made ..."
    )
    try:
        with RehearsalProcess(wish(options, str(directory))) as rehearsal:
            yield rehearsal
    except RehearsalFailed as problem:
        raise CriSwitchError(
            str(problem), next_step="this is a bug of cri-switch: report it with this text"
        ) from problem


@contextlib.contextmanager
def _server(directory: Path, options: Options) -> Iterator[LocalServer]:
    engine(directory, ui=options.ui)
    with LocalServer(directory, ui=options.ui) as server:
        os.environ["PREFECT_API_URL"] = server.api
        if options.ui:
            talk.say(f"Prefect's UI, in a moment: {server.url}")
        yield server


def _show(report: Report, options: Options, seconds: float) -> None:
    talk.show(report, report_table(report), options.output)
    migrated = sum(1 for node in report.nodes if node.outcome == "migrated")
    talk.say("")
    talk.say(
        f"{migrated} of {len(report.nodes)} nodes were switched, in {seconds:.0f} s; nothing real was touched.", "bold"
    )
    talk.say("Where to look next:")
    talk.say("  cri-switch demo --help               other faults, other sizes")
    talk.say("  cri-switch demo --ui                 the same run in Prefect's UI")
    talk.say("  cri-switch plan -f migration.yaml    your own cluster: what would be done; nothing is changed")
    talk.say("  README.md, docs/                     settings, rights, what happens to a node")


def _judge(seen: Seen) -> None:
    """The simulator's own word."""
    wrong = [*seen.broken, *seen.complaints, *seen.unfinished]
    if wrong:
        raise CriSwitchError(
            "the simulated cluster saw what must not be:\n" + "\n".join(wrong),
            next_step="this is a bug of cri-switch: report it with this text",
        )
