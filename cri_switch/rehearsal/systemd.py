"""systemd on a node: units with their dependencies, masks and restarts, and transient units."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from cri_switch.rehearsal.journald import Journal
from cri_switch.rehearsal.processes import Processes
from cri_switch.rehearsal.unit_files import UnitFiles
from cri_switch.rehearsal.unit_state import Daemon, JobEnd, State


class Systemd:
    """`run` executes a job's program."""

    def __init__(
        self,
        files: UnitFiles,
        processes: Processes,
        journal: Journal,
        now: Callable[[], float],
        run: Callable[[tuple[str, ...], tuple[tuple[str, str], ...]], JobEnd],
    ) -> None:
        self.files, self._processes, self._journal, self._now, self._run = files, processes, journal, now, run
        self.daemons: dict[str, Daemon] = {}
        self.states: dict[str, State] = {}

    def state(self, unit: str) -> State:
        """Its state now."""
        return self.states.setdefault(unit, State())

    def active(self, unit: str) -> bool:
        """Whether it runs."""
        found = self.states.get(unit)
        return found is not None and found.active == "active"

    def exists(self, unit: str) -> bool:
        """Whether there is a file, or a transient unit."""
        return bool(self.files.fragment(unit)) or self.state(unit).transient

    def start(self, unit: str) -> tuple[int, str]:
        """`systemctl start`: exit code and what it says."""
        if self.files.masked(unit):
            return 1, f"Failed to start {unit}: Unit {unit} is masked."
        if not self.exists(unit):
            return 5, f"Failed to start {unit}: Unit {unit} not found."
        if self.active(unit):
            return 0, ""
        for needed in sorted(self.files.required(unit)):
            rc, said = self.start(needed)
            if rc:
                return rc, said.replace(f"start {needed}", f"start {unit}")
        return self._begin(unit)

    def stop(self, unit: str) -> tuple[int, str]:
        """`systemctl stop`, and of all that requires it."""
        if not self.exists(unit) and not self.active(unit):
            return 5, f"Failed to stop {unit}: Unit {unit} not loaded."
        for other in [name for name, state in self.states.items() if state.active == "active" and name != unit]:
            if unit in self.files.required(other):
                self.stop(other)
        state = self.state(unit)
        state.restart_at = state.ends_at = None
        if state.transient:
            self._processes.end(state.main_pid)
            del self.states[unit]
            return 0, ""
        if state.active == "active" and unit in self.daemons:
            self.daemons[unit].stop()
            self._journal.add(unit, f"Stopped {unit}.")
        self._processes.end(state.main_pid)
        state.active, state.sub, state.main_pid, state.result = "inactive", "dead", 0, "success"
        return 0, ""

    def fail(self, unit: str, why: str, status: int = 1) -> None:
        """A service's process ended by itself; systemd will start it again."""
        state = self.state(unit)
        self._processes.end(state.main_pid)
        self._journal.add(unit, f"{why}\n{unit}: Main process exited, code=exited, status={status}/FAILURE")
        state.active, state.sub, state.main_pid = "activating", "auto-restart", 0
        state.result, state.status = "exit-code", status
        state.restart_at = self._now() + self.daemons[unit].restart_sec

    def reset_failed(self, unit: str) -> tuple[int, str]:
        """`systemctl reset-failed`; a transient unit that failed is forgotten."""
        state = self.states.get(unit)
        if state is None or not self.exists(unit) or (self.files.masked(unit) and state.active == "inactive"):
            return 1, f"Failed to reset failed state of unit {unit}: Unit {unit} not loaded."
        if state.transient and state.active == "failed":
            del self.states[unit]
        elif state.active == "failed":
            state.active, state.sub, state.result = "inactive", "dead", "success"
        return 0, ""

    def run_transient(
        self, unit: str, argv: tuple[str, ...], env: Mapping[str, str], seconds: float
    ) -> tuple[int, str]:
        """`systemd-run --remain-after-exit`: the program's effect comes at its end."""
        if unit in self.states and self.exists(unit):
            words = f"Unit {unit} already exists."
            return 1, f"Failed to start transient service unit: {words}"
        now = self._now()
        pid = self._processes.start(argv, f"/system.slice/{unit}")
        self.states[unit] = State(
            "active", "running", pid, now, now, transient=True, ends_at=now + seconds, job=argv, env=tuple(env.items())
        )
        return 0, f"Running as unit: {unit}"

    def settle(self) -> None:
        """What is due by now: jobs that end, services that are started again."""
        now = self._now()
        for unit, state in list(self.states.items()):
            if self.states.get(unit) is not state:  # the machine went down meanwhile
                continue
            if state.ends_at is not None and state.ends_at <= now:
                self._end_job(unit, state)
            elif state.restart_at is not None and state.restart_at <= now:
                state.restarts += 1
                state.restart_at = None
                if not self.files.masked(unit):
                    self._begin(unit)

    def boot(self) -> None:
        """Everything of before is gone; what is enabled starts."""
        self.states.clear()
        for unit in self.files.enabled():
            if unit in self.daemons:
                self.start(unit)

    def stamp(self, seconds: float) -> str:
        """A time as `systemctl show` prints it, "" for never."""
        return time.strftime("%a %Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds)) if seconds else ""

    def _begin(self, unit: str) -> tuple[int, str]:
        state, now = self.state(unit), self._now()
        daemon = self.daemons.get(unit)
        state.restart_at = None
        why = daemon.start() if daemon else ""
        state.started = now
        if why:
            self.fail(unit, why)
            said = f"Job for {unit} failed because the control process exited with error code."
            return 1, f'{said}\nSee "systemctl status {unit}" and "journalctl -xe" for details.'
        argv = daemon.argv if daemon else ()
        state.main_pid = self._processes.start(argv, f"/system.slice/{unit}") if argv else 0
        state.active, state.sub = "active", "running" if argv else "listening"
        state.entered, state.result, state.status = now, "success", 0
        self._journal.add(unit, f"Started {unit}.")
        return 0, ""

    def _end_job(self, unit: str, state: State) -> None:
        state.ends_at = None
        end = state.end or self._run(state.job, state.env)
        if self.states.get(unit) is not state:
            return
        if end.later:
            state.end, state.ends_at = JobEnd(end.rc, end.output), self._now() + end.later
            return
        self._processes.end(state.main_pid)
        self._journal.add(unit, end.output)
        state.main_pid, state.status = 0, end.rc
        if end.rc:
            state.active, state.sub, state.result = "failed", "failed", "exit-code"
        else:
            state.sub = "exited"
