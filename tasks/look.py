"""A task that only looks, or that is right to do anew in every run: never cached, retried when that may help."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from prefect import Task, task
from prefect.cache_policies import NO_CACHE

from tasks.step import worth_another_try

P = ParamSpec("P")
R = TypeVar("R")


def look(body: Callable[P, R]) -> Task[P, R]:
    """Make a task that every run executes."""
    about = " {node.name}" if "node" in inspect.signature(body).parameters else ""
    made: Task[P, R] = task(
        name=body.__name__,
        task_run_name=body.__name__.replace("_", "-") + about,
        cache_policy=NO_CACHE,
        persist_result=False,
        retries=2,
        retry_delay_seconds=[1, 5],
        retry_condition_fn=worth_another_try,
    )(body)
    return made
