"""The real flow functions on a simulated cluster without Prefect's engine and without sockets, in virtual time.

Tasks become their bodies, with the retries and checkpoints that the engine would give them; waits move the world's
clock. Only for tests of one process: modules are changed while a run lasts.
"""

from __future__ import annotations

import inspect
import logging
import os
import sys
import time
import types
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self, TypeVar
from unittest.mock import patch

from prefect import Flow, Task
from prefect.client.schemas.objects import State

import flows.cleanup_cluster
import flows.migrate_as_planned
import flows.migrate_cluster
import flows.plan_cluster
import flows.rollback_node
import tasks.cleanup
import tasks.lateness
import tasks.lock
import tasks.memory
import tasks.step
from cri_switch.cluster.client import Cluster
from cri_switch.cluster.retry import Caller
from cri_switch.cluster.transport import Answer, NotSent, Request
from cri_switch.model.cleanup import Cleanup
from cri_switch.model.errors import CriSwitchError, Stopped, Unreachable
from cri_switch.model.migration import Migration
from cri_switch.model.node_ref import NodeRef
from cri_switch.model.planned_run import PlannedRun
from cri_switch.model.report import Report
from cri_switch.model.step_result import StepResult
from cri_switch.node.command import Result
from cri_switch.node.transfer import Download
from cri_switch.rehearsal.api_reply import Call
from cri_switch.rehearsal.api_state import ApiState
from cri_switch.rehearsal.build import TOKEN
from cri_switch.rehearsal.clock import Clock
from cri_switch.rehearsal.connection import CommandLike, MemoryConnection
from cri_switch.rehearsal.machine import Machine
from cri_switch.rehearsal.world import World
from tasks import reach, stop

LOG = logging.getLogger("rehearsal")
Answer_ = TypeVar("Answer_")


def go_on(_what: str, act: Callable[[], Answer_]) -> Answer_:
    """Every word with the outside goes through such a function; this one lets all of them pass."""
    return act()


@dataclass(frozen=True)
class Artifact:
    """A page of a run in Prefect's UI: markdown, or the rows of a table."""

    data: str | list[dict[str, str]]
    key: str
    description: str = ""


class Engineless:
    """Runs of one world; checkpoints are kept between them, as a result storage keeps them.

    A run that asks for what the rehearsal does not know is an AssertionError, however it ends.
    """

    def __init__(self, world: World, directory: Path) -> None:
        self.world = world
        self.directory = directory
        self.checkpoints: dict[str, str] = {}
        self.executed: list[str] = []
        self.artifacts: list[Artifact] = []
        self.outside: Callable[[str, Callable[[], Any]], Any] = go_on
        self._runs = 0
        self._began = world.clock.now() - time.monotonic()

    def migration(self, **spec: Any) -> Migration:
        """Settings for it."""
        base = {
            "cluster": {"kubeconfig": "/nowhere"},
            "drain": {"delete_emptydir_data": True, "timeout": 120},
            "backup": {"directory": str(self.directory / "backup"), "acknowledge_not_backed_up": True},
            "gate": {"timeout": 120},
        }
        return Migration.model_validate({"metadata": {"name": "rehearsal"}, "spec": {**base, **spec}})

    def run(self, migration: Migration) -> Report:
        """One run to its end; raises what the flow raises."""
        self._runs += 1
        # Its name is of the real time's second, of which virtual runs need less.
        saved = migration.spec.backup.model_copy(update={"directory": str(self.directory / f"backup-{self._runs}")})
        migration = migration.model_copy(update={"spec": migration.spec.model_copy(update={"backup": saved})})
        with self._without_engine():
            answer = flows.migrate_cluster.migrate_cluster.fn(migration)
        if isinstance(answer, State) and isinstance(answer.data, CriSwitchError):
            raise answer.data  # as the engine does with a state that a flow answers
        assert isinstance(answer, Report), answer
        return answer

    def run_planned(self, saved: PlannedRun) -> Report:
        """A saved plan to its end; raises what the flow raises."""
        flow = flows.migrate_as_planned.migrate_as_planned.fn
        with self._without_engine():
            answer = flow(saved)
        assert isinstance(answer, Report), answer
        return answer

    def rollback(self, migration: Migration, name: str) -> Report:
        """One node back, as it is asked for; raises what the flow raises."""
        flow = flows.rollback_node.rollback_node.fn
        tasks.step._STANDS.clear()
        with self._without_engine():
            answer = flow(migration, name)
        assert isinstance(answer, Report), answer
        return answer

    def cleanup(self, migration: Migration, name: str = "") -> Cleanup:
        """What cleanup-cluster answers for a cluster called `rehearsal`; raises what the flow raises."""
        flow = flows.cleanup_cluster.cleanup_cluster.fn
        with self._without_engine(), patch.object(tasks.cleanup, "cluster_name", lambda _access: "rehearsal"):
            answer = flow(migration, name)
        assert isinstance(answer, Cleanup), answer
        return answer

    def plan(self, migration: Migration, *, diff: bool = False) -> PlannedRun:
        """What plan-cluster answers; raises what the flow raises."""
        flow = flows.plan_cluster.plan_cluster.fn
        with self._without_engine():
            answer = flow(migration, diff)
        assert isinstance(answer, PlannedRun), answer
        return answer

    def cluster(self, *, dry_run: bool = False) -> Cluster:
        """The pipeline's client without a socket."""
        clock = self.world.clock
        caller = Caller(self._send, "/nowhere", sleep=clock.sleep, clock=clock.now)
        return Cluster(self._send, kubeconfig="/nowhere", caller=caller, dry_run=dry_run)

    def _send(self, request: Request) -> Answer:
        call = Call(
            request.method, request.path, dict(request.query), request.body, request.content_type, f"Bearer {TOKEN}"
        )
        reply = self.outside(f"{request.method} {request.path}", lambda: self.world.api.answer(call))
        if reply.lost:
            raise (NotSent if self.world.api.state() is ApiState.AWAY else Unreachable)(f"{request}: no answer")
        self.world.clock.sleep(reply.after)
        return Answer(reply.status, reply.data.decode())

    def _sleep(self, seconds: float) -> None:
        if stop.stopping():
            raise Stopped("stopped in a wait")
        self.world.clock.sleep(seconds)

    def _task(self, found: Task[..., Any]) -> Callable[..., Any]:
        signature = inspect.signature(found.fn)
        context: Any = SimpleNamespace(task=SimpleNamespace(name=found.name))

        def call(*args: Any, **kwargs: Any) -> Any:
            given = dict(signature.bind(*args, **kwargs).arguments)
            key = found.cache_key_fn(context, given) if found.persist_result and found.cache_key_fn else None
            if key is not None and key in self.checkpoints:
                return StepResult.model_validate_json(self.checkpoints[key])
            for attempt in range(int(found.retries or 0) + 1):
                try:
                    answer = found.fn(*args, **kwargs)
                    break
                except Exception as problem:
                    state: Any = SimpleNamespace(result=lambda raise_on_failure, problem=problem: problem)
                    wanted = found.retry_condition_fn and found.retry_condition_fn(found, None, state)  # type: ignore[arg-type]
                    if attempt == found.retries or not wanted:
                        raise
                    delays = found.retry_delay_seconds
                    self._sleep(
                        float(delays[min(attempt, len(delays) - 1)] if isinstance(delays, list) else delays or 0)
                    )
            self.executed.append(found.name)
            if key is not None:
                self.checkpoints[key] = answer.model_dump_json()
            return answer

        return call

    @contextmanager
    def _without_engine(self) -> Iterator[None]:
        clock, made = self.world.clock, dict[int, Any]()
        fake = SimpleNamespace(**{**vars(time), "time": clock.now, "monotonic": clock.now, "sleep": clock.sleep})
        swaps: dict[Any, Any] = {time.time: clock.now, time.monotonic: clock.now, time.sleep: clock.sleep}
        connections: dict[str, Any] = {}

        def node(ref: NodeRef, _migration: Migration) -> Any:
            if ref.name not in connections:
                connections[ref.name] = _Told(self.world.machines[ref.name], self.outside)
            return connections[ref.name]

        names: dict[str, Any] = {
            "get_run_logger": lambda: LOG,
            "create_markdown_artifact": lambda *a, **k: self.artifacts.append(Artifact(*a, **k)),
            "create_table_artifact": lambda *a, **k: self.artifacts.append(Artifact(*a, **k)),
            "flow_run": SimpleNamespace(get_id=lambda: f"run-{self._runs}", get_scheduled_start_time=lambda: None),
            "deployment": SimpleNamespace(get_id=lambda: None),
            "get_run_context": lambda: None,
        }
        with ExitStack() as stack:
            stack.enter_context(_process())
            for module in [m for name, m in list(sys.modules.items()) if name.split(".")[0] in ("flows", "tasks")]:
                for name, value in list(vars(module).items()):
                    if isinstance(value, Task):
                        new = made.setdefault(id(value), self._task(value))
                    elif isinstance(value, Flow) and module.__name__ != "flows.migrate_cluster":
                        new = value.fn
                    elif name in names:
                        new = names[name]
                    else:
                        continue
                    stack.enter_context(patch.object(module, name, new))
            for module in [m for name, m in list(sys.modules.items()) if _ours(name)]:
                if vars(module).get("datetime") is datetime:
                    stack.enter_context(patch.object(module, "datetime", _dated(clock)))
                if vars(module).get("time") is time:
                    stack.enter_context(patch.object(module, "time", fake))
                for function in _functions(module):
                    _swap(stack, function, swaps)
            stack.enter_context(patch.object(tasks.memory, "storage", lambda: self.directory / "results"))
            stack.enter_context(patch.object(stop, "sleep", self._sleep))
            stack.enter_context(patch.object(reach, "node", node))
            stack.enter_context(patch.object(reach, "leave", lambda _ref: None))
            stack.enter_context(patch.object(reach, "_client", lambda m: self.cluster(dry_run=m.spec.dry_run)))
            opener = SimpleNamespace(open=lambda _access: self.cluster())
            stack.enter_context(patch.object(tasks.lock, "Cluster", opener))
            stack.enter_context(patch("cri_switch.cluster.wait.Pace.sleep", clock.sleep, create=True))
            try:
                yield
            finally:
                assert self.world.complaints == [], "the pipeline asked for what the rehearsal does not know"


class _Told(MemoryConnection[Result, Download]):
    """A connection whose words go through `outside`."""

    def __init__(self, machine: Machine, outside: Callable[[str, Callable[[], Any]], Any]) -> None:
        super().__init__(machine, Result, Download)
        self._outside = outside

    def run(self, command: CommandLike) -> Result:
        found: Result = self._outside(f"{self.node}: {command}", lambda: super(_Told, self).run(command))
        return found

    def run_to_file(self, command: CommandLike, path: Path) -> Any:
        return self._outside(f"{self.node}: {command}", lambda: super(_Told, self).run_to_file(command, path))


@contextmanager
def _process() -> Iterator[None]:
    """What a run keeps in its process ends with it: where nodes stand, that it was asked to stop, the umask."""
    mask = os.umask(0o077)
    tasks.step._STANDS.clear()
    try:
        yield
    finally:
        stop.begin()
        tasks.step._STANDS.clear()
        os.umask(mask)


def _dated(clock: Clock) -> type[datetime]:
    class Virtual(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return cls.fromtimestamp(clock.now(), tz)

    return Virtual


def _ours(name: str) -> bool:
    parts = name.split(".")
    return parts[0] in ("flows", "tasks") or (parts[:1] == ["cri_switch"] and parts[1:2] != ["rehearsal"])


def _functions(module: types.ModuleType) -> Iterator[Any]:
    for value in list(vars(module).values()):
        if getattr(value, "__module__", None) != module.__name__:
            continue
        if isinstance(value, types.FunctionType):
            yield getattr(value, "__wrapped__", value)
            yield value
        elif isinstance(value, type):
            for part in list(vars(value).values()):
                inner = getattr(part, "__func__", part)
                if isinstance(inner, types.FunctionType):
                    yield inner


def _swap(stack: ExitStack, function: Any, swaps: dict[Any, Any]) -> None:
    """Its default arguments that are the real time's functions."""
    plain, named = function.__defaults__, function.__kwdefaults__
    if plain and any(_key(value) in swaps for value in plain):
        stack.callback(setattr, function, "__defaults__", plain)
        function.__defaults__ = tuple(swaps.get(_key(value), value) for value in plain)
    if named and any(_key(value) in swaps for value in named.values()):
        stack.callback(setattr, function, "__kwdefaults__", named)
        function.__kwdefaults__ = {key: swaps.get(_key(value), value) for key, value in named.items()}


def _key(value: Any) -> Any:
    return value if isinstance(value, types.BuiltinFunctionType) else None
