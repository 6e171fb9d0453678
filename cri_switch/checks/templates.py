"""Pod templates of the workload objects, each with the owner that an administrator would edit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cri_switch.checks.owner import Obj, Owner, Owners, controller_of, title


def templates(objects: Iterable[Obj], known: Owners) -> Iterator[tuple[Owner, Mapping[str, Any]]]:
    """(owner, pod spec) of each object that would make pods: also scaled to zero, suspended, or not yet due.

    Left out: a ReplicaSet or Job whose Deployment or CronJob is there itself (an old revision makes no pods), a
    ReplicaSet scaled to zero that somebody else owns (an old revision of a kind we do not know), a finished Job.
    """
    for each in objects:
        name, kind, spec = title(each), each.get("kind"), each.get("spec") or {}
        controller = controller_of(each)
        if kind == "CronJob":
            template = (spec.get("jobTemplate") or {}).get("spec", {}).get("template")
        else:
            template = spec.get("template")
        if controller is not None:
            if known.above[name] in known.known:
                continue
            if kind == "ReplicaSet" and spec.get("replicas") == 0:
                continue
        if kind == "Job" and _finished(each):
            continue
        if template:
            chain = known.top(name)
            yield Owner(chain[-1], name, chain=chain), template.get("spec") or {}


def _finished(job: Obj) -> bool:
    conditions = (job.get("status") or {}).get("conditions") or []
    return any(one["type"] in ("Complete", "Failed") and one["status"] == "True" for one in conditions)
