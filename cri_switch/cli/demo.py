"""`cri-switch demo`: the real flow on a simulated cluster, from nothing to the table of what was done."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cri_switch.cli import talk
from cri_switch.cli.engine import STORAGE, prepare, quieten
from cri_switch.cli.prefect_server import LocalServer
from cri_switch.cli.progress import progress, silence
from cri_switch.cli.tables import report_table
from cri_switch.model.batches import at_once
from cri_switch.model.errors import CriSwitchError, NodeFailed, UsageError
from cri_switch.model.migration import Migration
from cri_switch.model.report import NodeReport, Report
from cri_switch.model.settings_file import load_migration
from cri_switch.rehearsal.faults import FAULTS
from cri_switch.rehearsal.process import RehearsalFailed, RehearsalProcess, Seen, Wish

DEFAULT_FAULT = "runtime-fails-once"
MAX_UNAVAILABLE = "50%"
_FASTER = {"PREFECT_LOGGING_TO_API_BATCH_INTERVAL": "0.5"}


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line."""

    nodes: int = 11
    control_planes: int = 3
    speed: float = 10.0
    fault: str = DEFAULT_FAULT
    ui: bool = False
    output: talk.Output = "table"


def demo(options: Options) -> None:
    """Run it; the answer is on stdout, everything else on stderr.

    Raises:
        UsageError: no such fault, or no such cluster.
        CriSwitchError: a run that ended otherwise than the fault explains; the simulator saw a broken promise.
    """
    _check(options)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="cri-switch-demo-") as folder:
        directory = Path(folder)
        with _engine(directory, options) as server, _rehearsal(directory / "cluster", options) as rehearsal:
            report = _migrate(load_migration(str(rehearsal.settings)), options)
            seen = rehearsal.seen()
            _show(report, options, time.monotonic() - started)
            _judge(seen)
            if server is not None:
                talk.say(f"The flow run in Prefect's UI: {server.last_run('migrate-cluster')} (Ctrl-C ends it)", "bold")
                server.wait()


def _check(options: Options) -> None:
    known = ["none", *sorted(FAULTS)]
    if options.fault not in known:
        raise UsageError(
            f"no fault is called {options.fault!r}; known are {', '.join(known)}", next_step="cri-switch demo --help"
        )
    if not 1 <= options.control_planes <= options.nodes:
        raise UsageError(
            f"{options.control_planes} control planes of {options.nodes} nodes: at least one, and no more than all",
            next_step="--nodes counts all nodes: cri-switch demo --nodes 11 --control-planes 3",
        )
    if options.speed <= 0:
        raise UsageError(f"--speed {options.speed:g}: it says how many simulated seconds pass in a real one")


def cast(options: Options) -> tuple[tuple[str, ...], tuple[str, ...], str]:
    """Who plays what: the nodes on containerd already, those that an administrator has cordoned, the one that fails."""
    workers = [f"w{number}" for number in range(1, options.nodes - options.control_planes + 1)]
    migrated = workers[1:2] if len(workers) > 2 else []
    cordoned = workers[4:5] if len(workers) > 4 else []
    failing = workers[3] if len(workers) > 3 else (workers[-1] if workers else "cp1")
    return tuple(migrated), tuple(cordoned), failing


@contextlib.contextmanager
def _rehearsal(directory: Path, options: Options) -> Iterator[RehearsalProcess]:
    migrated, cordoned, failing = cast(options)
    workers = options.nodes - options.control_planes
    directory.mkdir(mode=0o700)
    wish = Wish(
        directory=str(directory),
        nodes=options.nodes,
        control_planes=options.control_planes,
        speed=options.speed,
        migrated=migrated,
        cordoned=cordoned,
        replicas=min(4, max(1, workers - len(cordoned))),
        fault="" if options.fault == "none" else options.fault,
        fault_node=failing,
        max_unavailable=at_once(MAX_UNAVAILABLE, workers),
        spec={"max_unavailable": MAX_UNAVAILABLE, "stage_parallelism": 16, "gate": {"checks": 1}},
    )
    talk.say(
        f"A simulated cluster of {options.nodes} nodes, {options.control_planes} of them control plane, is made ..."
    )
    try:
        with RehearsalProcess(wish) as rehearsal:
            yield rehearsal
    except RehearsalFailed as problem:
        raise CriSwitchError(
            str(problem), next_step="this is a bug of cri-switch: report it with this text"
        ) from problem


@contextlib.contextmanager
def _engine(directory: Path, options: Options) -> Iterator[LocalServer | None]:
    """Prefect with nothing of the user's: no server, settings, checkpoints or database of before are met."""
    for name in [name for name in os.environ if name.startswith("PREFECT_")]:
        del os.environ[name]
    os.environ |= {"PREFECT_HOME": str(directory / "prefect"), STORAGE: str(directory / "results"), **_FASTER}
    prepare()
    if not options.ui:
        yield None
        return
    with LocalServer(directory) as server:
        os.environ["PREFECT_API_URL"] = server.api
        talk.say(f"Prefect's UI: {server.url}")
        yield server


def _migrate(migration: Migration, options: Options) -> Report:
    """The flow; once more where a node failed by a fault that is over."""
    talk.say("Prefect starts; the flow migrate-cluster begins ...")
    from flows.migrate_cluster import migrate_cluster  # noqa: PLC0415 (Prefect takes seconds to import)
    from tasks.step import stands  # noqa: PLC0415

    quieten()
    silence()
    begun = time.monotonic()
    mends = options.fault != "none" and FAULTS[options.fault].mends
    reports: list[Report] = []
    for run in (1, 2):
        try:
            with progress(migration.metadata.name, stands, quiet=options.output != "table", begun=begun):
                answer = migrate_cluster(migration)
        except NodeFailed as problem:
            if not (isinstance(problem.report, Report) and mends and run == 1):
                raise
            reports.append(problem.report)
            talk.say("")
            for node in problem.report.failed:
                talk.say(f"{node.name} failed, as it was meant to: {node.reason.splitlines()[0]}", "yellow")
            talk.say("The same command again goes on where this run stopped:", "bold")
            continue
        if not isinstance(answer, Report):
            raise CriSwitchError(f"the flow ended as {answer}", next_step="cri-switch demo --fault none")
        reports.append(answer)
        break
    return merged(reports)


def merged(reports: list[Report]) -> Report:
    """One report of several runs: a node's row is of the run that migrated it, else of the last."""
    last = reports[-1]
    done: dict[str, NodeReport] = {}
    for report in reports:
        done |= {node.name: node for node in report.nodes if node.outcome == "migrated"}
    failed = {node.name for report in reports[:-1] for node in report.failed}
    for name in failed & done.keys():
        done[name] = done[name].model_copy(update={"reason": "failed once, went back to Docker, and was done again"})
    rows = [done.get(node.name, node) for node in last.nodes]
    return last.model_copy(update={"nodes": rows, "backup": ""})  # its directory goes with the simulated cluster


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
