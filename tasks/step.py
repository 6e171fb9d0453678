"""A migration step as a Prefect task: checkpointed, retried where that is safe, in the node's journal, timed."""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ParamSpec

from prefect import Task, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.context import TaskRunContext
from prefect.utilities.annotations import NotSet

from cri_switch.model.attempt import Attempt
from cri_switch.model.errors import CriSwitchError
from cri_switch.model.migration import Migration
from cri_switch.model.step_result import StepResult
from tasks import stop
from tasks.diary import write_down
from tasks.story import BEGINS, ENDS, tell

P = ParamSpec("P")
_STANDS: dict[str, str] = {}


def stands() -> dict[str, str]:
    """The last step of each node in this process, `drain (running)`: where a cancelled run left it."""
    return dict(_STANDS)


def stand(node: str, at: str) -> None:
    """Note where a node is, beside the steps; "" where it is as it was before the first."""
    if at:
        _STANDS[node] = at
    else:
        _STANDS.pop(node, None)


DRY = "there is nothing to wait for"


@dataclass
class Outcome:
    """What the body of a step answers; see StepResult."""

    summary: str
    changed: int = 0
    data: dict[str, Any] = field(default_factory=dict)


def checkpoint(context: TaskRunContext, parameters: dict[str, Any]) -> str | None:
    """The key under which a completed step is kept: DESIGN rule 2. A dry run leaves no checkpoint, and meets none."""
    if parameters["migration"].spec.dry_run:
        return None
    attempt: Attempt = parameters["attempt"]
    return attempt.key(context.task.name)


def worth_another_try(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Only what may go through later: every step reads its facts again, so another try does only what is missing."""
    problem = state.result(raise_on_failure=False)
    return isinstance(problem, CriSwitchError) and problem.transient and not stop.stopping()


def step(body: Callable[P, Outcome]) -> Task[P, StepResult]:
    """Make a task of a step's body, whose parameters begin with `attempt` and `migration`."""
    return _made(body, cached=True)


def uncached_step(body: Callable[P, Outcome]) -> Task[P, StepResult]:
    """A step that every run executes: its effect is where others change things too."""
    return _made(body, cached=False)


def _made(body: Callable[P, Outcome], *, cached: bool) -> Task[P, StepResult]:
    @functools.wraps(body)
    def run(*args: P.args, **kwargs: P.kwargs) -> StepResult:
        given = inspect.signature(body).bind(*args, **kwargs).arguments
        attempt: Attempt = given["attempt"]
        migration: Migration = given["migration"]
        name = body.__name__
        stop.check(f"{name} of {attempt.node.name}")
        logger = get_run_logger()
        started = time.time()
        write_down(attempt, migration, name, "started")
        _STANDS[attempt.node.name] = f"{name} (not finished)"
        tell(attempt.node, migration, BEGINS.get(name, ""), f"{name} by migration {attempt.migration_id}")
        try:
            outcome = body(*args, **kwargs)
        except CriSwitchError as problem:
            logger.error("node=%s step=%s failed: %s", attempt.node.name, name, problem)  # noqa: TRY400 (no traceback)
            _note_failure(attempt, migration, name, problem)
            tell(attempt.node, migration, "StepFailed", f"{name}: {problem.what}", warning=True)
            raise
        if migration.spec.dry_run:
            outcome.summary = f"dry run: {outcome.summary}"
        write_down(attempt, migration, name, "done" if outcome.changed else "noop", outcome.summary)
        tell(attempt.node, migration, ENDS.get(name, ""), outcome.summary)
        _STANDS[attempt.node.name] = f"{name} (done)"
        result = StepResult(
            node=attempt.node.name,
            step=name,
            summary=outcome.summary,
            changed=outcome.changed,
            started=started,
            finished=time.time(),
            data=outcome.data,
        )
        logger.info("node=%s step=%s %.1fs %s", attempt.node.name, name, result.seconds, outcome.summary)
        return result

    made: Task[P, StepResult] = task(
        name=body.__name__,
        task_run_name=body.__name__.replace("_", "-") + " {attempt.node.name}",
        persist_result=cached,
        result_serializer="json",
        cache_key_fn=checkpoint if cached else None,
        cache_policy=NotSet if cached else NO_CACHE,
        retries=2,
        retry_delay_seconds=[2, 10],
        retry_condition_fn=worth_another_try,
    )(run)
    return made


def _note_failure(attempt: Attempt, migration: Migration, name: str, problem: CriSwitchError) -> None:
    try:
        write_down(attempt, migration, name, "failed", problem.what)
    except CriSwitchError as also:
        problem.add_note(f"the node's journal could not be written: {also.what}")
