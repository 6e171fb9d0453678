"""Between batches: the cluster as a whole must be well before the next nodes go."""

from __future__ import annotations

import time
from collections.abc import Callable

from cri_switch.cluster.client import Cluster
from cri_switch.cluster.left_pending import Kept, LeftPending, none_kept
from cri_switch.cluster.snapshot import WorkloadSnapshot, exhausted, failing, not_ready
from cri_switch.cluster.wait import Pace, until


def gate(
    cluster: Cluster,
    *,
    seconds: float,
    before: WorkloadSnapshot | None = None,
    checks: int = 2,
    kept: Kept = none_kept,
    say: Callable[[str], None] = lambda _line: None,
    stop: Callable[[], bool] = lambda: False,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> str:
    """Wait until `checks` looks in a row find all nodes Ready, no pod newly failing, budgets as before.

    What was not Ready or failed in `before` already does not count, nor a budget that only `kept` pods spend. Without
    `before` it cannot be told what is new: then failing pods are only named in the answer. What it waits for goes to
    `say` when that changes.

    Raises RemoteTimeout, Stopped, ApiError.
    """
    polled, known = cluster.impatient(), before or WorkloadSnapshot()
    pending = LeftPending(polled, kept)
    good, old, told = 0, list[str](), list[str]()

    def look() -> str:
        nonlocal good, old, told
        lacks = [f"node {name} is not Ready" for name in not_ready(polled.list("Node")) if name not in known.not_ready]
        old = failing(polled.list("Pod"))
        if before is not None:
            lacks += [line for line in old if line not in known.failing]
            budgets = polled.list("PodDisruptionBudget")
            spent = set(exhausted(budgets)) - set(known.exhausted)
            spent -= pending.budgets(budgets) if spent else set()
            lacks += [f"PodDisruptionBudget {name} allows none" for name in sorted(spent)]
        if lacks and lacks != told:
            say(f"the gate waits: {'; '.join(lacks)}")
        told = lacks
        good = 0 if lacks else good + 1
        return "; ".join(lacks) if lacks else ("" if good >= checks else f"well {good} of {checks} times")

    until(
        look,
        "the gate between batches",
        seconds,
        Pace(stop, sleep, clock, every=2.0, first=2.0),
        next_step="kubectl get nodes; kubectl get pods -A -o wide",
    )
    text = f"all nodes Ready, no pod newly failing, {checks} times in a row"
    return f"{text}; failing as before: {', '.join(old)}" if old else text
