"""Calls in threads, as the engine wants them: each with a copy of the flow run's context."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from typing import TypeVar

from tasks import reach, stop

Item = TypeVar("Item")
Answer = TypeVar("Answer")
_PATIENCE = 12.0
"""Seconds for what runs when a cancel comes: after 30 the worker kills the process."""


def side_by_side(
    call: Callable[[Item], Answer], items: Sequence[Item], *, at_once: int
) -> list[tuple[Item, Answer | Exception]]:
    """`call` on each item, at most `at_once` together; answers or exceptions in the order of the items.

    A cancellation reaches only the main thread: then the stop flag is set, nothing further starts, and what runs is
    awaited for some seconds (steps wait on the flag). No `with`: leaving it would wait without setting the flag
    (prefect.md 6, 6c).
    """
    if not items:
        return []
    pool = ThreadPoolExecutor(max_workers=max(1, min(at_once, len(items))))
    answers: list[tuple[Item, Answer | Exception]] = []
    futures: list[Future[Answer]] = []
    try:
        for item in items:
            futures.append(pool.submit(copy_context().run, call, item))
        for item, future in zip(items, futures, strict=True):
            problem = future.exception()
            if problem is None:
                answers.append((item, future.result()))
            elif isinstance(problem, Exception):
                answers.append((item, problem))
            else:
                raise problem  # noqa: TRY301 (a cancellation that reached a thread)
    except BaseException:
        stop.heard()
        pool.shutdown(wait=False, cancel_futures=True)
        if wait(futures, timeout=_PATIENCE).not_done:
            reach.close_all()  # a call that is blocked ends with its connection; on the node it goes on (rule 7)
            wait(futures, timeout=_PATIENCE / 3)
        raise
    pool.shutdown(wait=True)
    return answers
