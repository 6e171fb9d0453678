"""One migration that is killed again and again, and what each kill came to."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.e2e.look import checkpoints
from tests.e2e.pipeline import PROGRAM, Pipeline
from tests.e2e.wait import until
from tests.kills.cells import BOTH, CUT, DATABASE, REBOOT, RESULTS, SERVER, By, Cancel, Cell
from tests.kills.ground import Ground
from tests.support.prefect_server import PREFECT

_BEGINS, _REACHED, _WHOLE = 90, 420, 900
_ENDED = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
_CUT_SECONDS = 5
_CANCELLED, _INTERRUPTED = 120, 130
_HEARD = 10
"""Seconds until the worker, which asks for cancelled runs now and then, has told the flow."""
_CRASHED_BY_HEARTBEAT = 240
_CANARY = "w1"


@dataclass
class Killed:
    """A kill that was done, and what was so then."""

    cell: Cell
    at: float
    journals: Mapping[str, list[dict[str, Any]]]
    results: Mapping[str, tuple[float, int]]
    resumed: float = 0.0
    row: dict[str, Any] = field(default_factory=dict)


class Chain:
    """Runs of one migration by one Pipeline, each killed in its cell but for the last."""

    def __init__(self, ground: Ground, pipeline: Pipeline, logs: Path) -> None:
        self.ground, self.pipeline, self.logs = ground, pipeline, logs
        self.killed: list[Killed] = []
        self.run_id = ""
        self.command: subprocess.Popen[bytes] | None = None
        self._number = 0

    def go(self, cells: tuple[Cell, ...], first: By = "run") -> None:
        """Start it, kill and resume it in every cell, and wait for the last run's good end."""
        by = first
        for cell in cells:
            self.start(by)
            self.reach(cell)
            self.kill(cell)
            by = cell.by
        self.start(by)
        self.finish()

    def start(self, by: By) -> None:
        """Another run; the one before is over."""
        self._number += 1
        if self.killed:
            self.killed[-1].resumed = time.time()
        if by == "cli":
            self.run_id = ""
            log = (self.logs / f"cli-{self._number}.log").open("wb")
            words = [*self.pipeline.server.prefix, PROGRAM, "migrate", "--yes", "-f", str(self.pipeline.file)]
            self.command = subprocess.Popen(
                words, env=self.pipeline.server.env(), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
            return
        self.command = None
        if by == "retry" and self.run_id:
            self.pipeline.server.run(*PREFECT, "flow-run", "retry", self.run_id)
        else:
            said = self.pipeline.server.run(*PREFECT, "deployment", "run", f"migrate-cluster/{self.pipeline.name}")
            found = re.search(r"[0-9a-f]{8}-[0-9a-f-]{27}", said.stdout)
            assert found, said.stdout
            self.run_id = found[0]
        until("the run to begin", self._at_work, _BEGINS)

    def reach(self, cell: Cell) -> None:
        """Wait until the step of the node is at work, its pending part begun."""
        g, name = self.ground, cell.node
        old, cordons = (len(_started(g.journal(name), step)) for step in (cell.step, "cordon"))
        if cell.step == "drain":
            if name == _CANARY:
                self._wait("the run to be past its preflight", self._beyond_preflight)
            else:  # an earlier refusal would be met by the gate: the budgets are not as before
                self._wait(f"cordon of {name} to begin", lambda: len(_started(g.journal(name), "cordon")) > cordons)
            g.refuse_evictions()
        self._wait(f"{cell.step} of {name} to begin", lambda: len(_started(g.journal(name), cell.step)) > old)
        if cell.step == "drain":
            time.sleep(3)  # the eviction has been refused, and is asked for again
        if cell.step in ("install_runtime", "remove_docker"):
            kind = "install" if cell.step == "install_runtime" else "remove-docker"
            pattern = re.compile(rf"cri-switch-.*-{kind}-[0-9a-f]{{8}}\.service")
            self._wait(
                f"the package manager of {name} at work",
                lambda: any(at_work and pattern.fullmatch(unit) for unit, at_work in g.jobs(name).items()),
            )

    def kill(self, cell: Cell) -> None:
        """SIGKILL, and what else the cell says; returns when another run may be started."""
        g, p = self.ground, self.pipeline
        if cell.how == CUT:
            g.cut(cell.node)
        if cell.how == BOTH:
            assert p.worker.process is not None
            p.worker.process.signal(signal.SIGKILL)
        reports = self._reports()
        self._kill_flow()
        journals = {} if cell.how == CUT else {name: self._journal(name) for name in g.nodes}
        done = Killed(cell, time.time(), journals, checkpoints.results(p.server.storage))
        self.killed.append(done)
        if cell.how == CUT:
            time.sleep(_CUT_SECONDS)
            g.mend(cell.node)
            done.journals = {name: self._journal(name) for name in g.nodes}
        if not _open(done.journals[cell.node], cell.step):
            raise AssertionError(f"killed too late: {cell.step} of {cell.node} had ended")
        if cell.how == REBOOT:
            g.reboot(cell.node)
        if cell.how == SERVER:
            p.server.stop()
            p.server.start()
        if cell.how == BOTH:
            p.worker.stop()
            p.worker.__enter__()
        if cell.how == RESULTS:
            shutil.rmtree(p.server.storage)
            p.server.storage.mkdir(mode=0o700)
        if cell.step == "drain":
            g.allow_evictions()
        if cell.how == DATABASE:
            p.anew()
        elif self.run_id and cell.by != "cli":
            until("the dead run to be seen as crashed", self._crashed, _CRASHED_BY_HEARTBEAT, every=1)
            if cell.how != BOTH:
                until("the worker's second word on it", lambda: self._reports() > reports, 90)

    def cancel(self, wanted: Cancel) -> dict[str, Any]:
        """Ask the run to stop, and wait until it has ended; the row of the cancel, with `end` in words."""
        p, cell = self.pipeline, wanted.cell
        begun, at = time.monotonic(), time.time()
        if self.command is not None:
            number = signal.SIGTERM if wanted.by == "SIGTERM" else signal.SIGINT
            self.command.send_signal(number)
            if wanted.by == "Ctrl-C, and again":
                time.sleep(1)
                self.command.send_signal(number)
            code = self.command.wait(_CANCELLED)
            said = (self.logs / f"cli-{self._number}.log").read_text()
            ended = code == _INTERRUPTED
        else:
            p.server.run(*PREFECT, "flow-run", "cancel", self.run_id)
            at = time.time() + _HEARD  # the command itself takes seconds to start
            until("the run to end", lambda: self._state()["type"] in _ENDED, _CANCELLED)
            ended, said = self._state()["type"] == "CANCELLED", str(self._state()["message"])
        seconds = time.monotonic() - begun
        if cell.step == "drain":
            self.ground.allow_evictions()
        if self.run_id:
            until("its processes to be gone", lambda: not flow_processes(self.run_id), _CANCELLED)
        journals = {name: self._journal(name) for name in self.ground.nodes}
        self.killed.append(Killed(cell, time.time(), journals, checkpoints.results(p.server.storage), time.time()))
        later = [
            e["step"] for each in journals.values() for e in each if e["event"] == "started" and e["time"] > at + 1
        ]
        stand = re.findall(r"state: (.*)", said)  # the last word is the run's, others are its nodes' own
        words = bool(stand) and all(re.search(rf"\b{node}\b", stand[-1]) for node in self.ground.nodes)
        end = "Cancelled, says where each node stands" if ended and words and not later else f"{said[-800:]} {later}"
        return {
            "node": cell.node, "step": cell.step, "kill": wanted.by, "resume": cell.by,
            "end": end, "seconds": round(seconds, 1),
        }  # fmt: skip

    def finish(self) -> None:
        """The run ends well."""
        if self.command is not None:
            code = self.command.wait(_WHOLE)
            assert code == 0, (self.logs / f"cli-{self._number}.log").read_text()[-3000:]
            return
        until("the run to end", lambda: self._state()["type"] in _ENDED, _WHOLE, every=1)
        assert self._state()["type"] == "COMPLETED", f"{self._state()}\n{self.pipeline.log_tail(self.run_id)}"

    def twice(self) -> list[str]:
        """Completed steps that a later run began again, in words; the attempts that nothing explains."""
        wrong = []
        reboots = {
            name: sum(k.cell.how == REBOOT and k.cell.node == name for k in self.killed) for name in self.ground.nodes
        }
        for name in self.ground.nodes:
            now = self.ground.journal(name)
            top = max(entry["attempt"] for entry in now)
            back = sum(entry["step"] == "rollback" and entry["event"] == "done" for entry in now)
            if not 1 + max(reboots[name], back) <= top <= 1 + reboots[name] + back:
                wrong.append(f"{name}: attempt {top} after {reboots[name]} reboots, {back} times back on Docker")
            for number, kill in enumerate(self.killed):
                done = checkpoints.completions(kill.journals[name])
                lost = any(each.cell.how == RESULTS for each in self.killed[number:])
                for entry in now:
                    key = (entry["attempt"], entry["step"])
                    again = entry["event"] == ("done" if lost else "started")  # begun anew it finds nothing to do
                    if again and entry["time"] > kill.at and key in done:
                        wrong.append(f"{name}: {key} was done before the kill in {kill.cell}, and was begun again")
        kept = checkpoints.results(self.pipeline.server.storage)
        last = max((number for number, kill in enumerate(self.killed) if kill.cell.how == RESULTS), default=-1)
        for kill in self.killed[last + 1 :]:
            steps = {file: at for file, at in kill.results.items() if re.search(r"\.\d+-\d+\.[a-z_]+$", file)}
            wrong += [f"the result {file} was written again" for file, at in steps.items() if kept.get(file) != at]
        return wrong

    def rows(self) -> list[dict[str, Any]]:
        """One record a kill: seconds from the kill, and from the resume, until its step was done."""
        found = []
        for kill in self.killed:
            entries = self.ground.journal(kill.cell.node)
            ends = [e["time"] for e in entries if e["step"] == kill.cell.step and e["event"] in ("done", "noop")]
            later = [at for at in ends if at > kill.at]
            cell = kill.cell
            found.append(
                {
                    "node": cell.node, "step": cell.step, "kill": cell.how, "resume": cell.by,
                    "end": "done by the next run" if later else "not done",
                    "seconds": round(later[0] - kill.resumed, 1) if later else None,
                }
            )  # fmt: skip
        return found

    def _kill_flow(self) -> None:
        if self.command is not None:
            self.command.send_signal(signal.SIGKILL)
            self.command.wait(10)
            return
        found = flow_processes(self.run_id)
        assert found, f"no process of flow run {self.run_id}: {self._state()}"
        for pid in found:
            os.kill(pid, signal.SIGKILL)
        until("the flow's processes to be gone", lambda: not flow_processes(self.run_id), 10, every=0.1)

    def _wait(self, what: str, look: Callable[[], object]) -> None:
        def checked() -> object:
            if self.command is not None:
                assert self.command.poll() is None, (self.logs / f"cli-{self._number}.log").read_text()[-3000:]
            answer = look()
            if not answer and self.command is None and time.monotonic() - began > 20:
                state = self._state()
                assert state["type"] not in _ENDED, f"{state}\n{self.pipeline.log_tail(self.run_id)}"
            return answer

        began = time.monotonic()
        until(what, checked, _REACHED, every=0.1)

    def _beyond_preflight(self) -> bool:
        """By the run's own task runs: the Lease is taken after the preflight, `note_workloads` after that."""
        if self.command is not None:
            return "note-workloads" in (self.logs / f"cli-{self._number}.log").read_text(errors="replace").replace(
                "_", "-"
            )
        names = [run["name"].replace("_", "-") for run in self.pipeline.server.task_runs(self.run_id)]
        return any(name.startswith("note-workloads") for name in names)

    def _journal(self, name: str) -> list[dict[str, Any]]:
        return until(f"the journal of {name}", lambda: [*self.ground.journal(name), {}], 60)[:-1]

    def _state(self) -> dict[str, Any]:
        found: dict[str, Any] = self.pipeline.server.flow_run(self.run_id)["state"]
        return found

    def _at_work(self) -> bool:
        state = self._state()
        assert state["type"] not in _ENDED, f"{state}\n{self.pipeline.log_tail(self.run_id)}"
        return bool(state["type"] == "RUNNING")

    def _reports(self) -> int:
        """How often the worker's second word on a killed process was heard.

        It proposes Crashed twice (Prefect 3.8.8), the second time about 25 s after the first: a Retry that has begun by
        then is marked as crashed by it (seen).
        """
        assert self.pipeline.worker.process is not None
        said = self.pipeline.worker.process.log.read_text(errors="replace")
        return said.count("prefect.flow_runs.worker - Check whether the flow run exceeded its memory")

    def _crashed(self) -> bool:
        return bool(self._state()["type"] in _ENDED)


def flow_processes(run_id: str) -> list[int]:
    """Those that execute a flow run, by their environment, whoever their parent is."""
    mark, found = f"PREFECT__FLOW_RUN_ID={run_id}".encode(), []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def _started(entries: list[dict[str, Any]], step: str) -> list[float]:
    return [entry["time"] for entry in entries if entry["step"] == step and entry["event"] == "started"]


def _open(entries: list[dict[str, Any]], step: str) -> bool:
    """Whether the step was begun and has not ended."""
    events = [entry["event"] for entry in entries if entry["step"] == step]
    return bool(events) and events[-1] == "started"
