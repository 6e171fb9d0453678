"""The runs of `cri-switch demo`: the flow in this process, once more where a node failed by a fault that is over."""

from __future__ import annotations

import os
import time
from pathlib import Path

from cri_switch.cli import talk
from cri_switch.cli.demo_options import Options
from cri_switch.cli.engine import STORAGE, prepare, quieten
from cri_switch.cli.progress import progress, silence
from cri_switch.model.errors import CriSwitchError, NodeFailed
from cri_switch.model.migration import Migration
from cri_switch.model.report import NodeReport, Report

_FASTER = {"PREFECT_LOGGING_TO_API_BATCH_INTERVAL": "0.5"}
_UNSEEN = {"PREFECT_LOGGING_TO_API_ENABLED": "false"}
"""Where nobody will look into the server."""


def engine(directory: Path, *, ui: bool) -> None:
    """Prefect with nothing of the user's: no server, settings, checkpoints or database of before are met."""
    for name in [name for name in os.environ if name.startswith("PREFECT_")]:
        del os.environ[name]
    os.environ |= {"PREFECT_HOME": str(directory / "prefect"), STORAGE: str(directory / "results"), **_FASTER}
    os.environ |= {} if ui else _UNSEEN
    prepare()


def runs(migration: Migration, options: Options, reports: list[Report]) -> None:
    """The flow, at most twice; each run's report is appended to `reports`, also that of a run that fails.

    Raises:
        CriSwitchError: what ended the last run.
    """
    from flows.migrate_cluster import migrate_cluster  # noqa: PLC0415 (Prefect takes seconds to import)
    from tasks.step import stands  # noqa: PLC0415

    quieten()
    silence()
    begun = time.monotonic()
    for run in (1, 2):
        try:
            with progress(migration.metadata.name, stands, quiet=options.output != "table", begun=begun):
                answer = migrate_cluster(migration)
        except CriSwitchError as problem:
            if isinstance(problem.report, Report):
                reports.append(problem.report)
            failed = problem.report.failed if isinstance(problem.report, Report) else []
            if run == 2 or not failed or not options.mends or not isinstance(problem, NodeFailed):
                raise
            talk.say("")
            for node in failed:
                talk.say(f"{node.name} failed, as it was meant to: {node.reason.splitlines()[0]}", "yellow")
            talk.say("The same command again goes on where this run stopped:", "bold")
            continue
        if not isinstance(answer, Report):
            raise CriSwitchError(f"the flow ended as {answer}", next_step="cri-switch demo --fault none")
        reports.append(answer)
        return


def merged(reports: list[Report]) -> Report:
    """One report of several runs: a node's row is of the run that migrated it, else of the last; its steps of all."""
    last = reports[-1]
    done: dict[str, NodeReport] = {}
    for report in reports:
        done |= {node.name: node for node in report.nodes if node.outcome == "migrated"}
    failed = {node.name for report in reports[:-1] for node in report.failed}
    for name in failed & done.keys():
        done[name] = done[name].model_copy(update={"reason": "failed once, went back to Docker, and was done again"})
    rows = [
        done[node.name].model_copy(update={"steps": {**done[node.name].steps, **node.steps}})
        if node.name in done
        else node
        for node in last.nodes
    ]
    return last.model_copy(update={"nodes": rows, "backup": ""})  # its directory goes with the simulated cluster
