"""Pod templates of the workload objects, each with the owner that an administrator would edit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cri_switch.checks.owner import Obj, Owner, Owners, title


def templates(objects: Iterable[Obj], known: Owners) -> Iterator[tuple[Owner, Mapping[str, Any]]]:
    """(owner, pod spec) of each object that would make pods: also scaled to zero, suspended, or not yet due.

    Left out: a ReplicaSet or Job whose Deployment or CronJob is there itself (an old revision makes no pods), the old
    revisions among the ReplicaSets of an owner that we do not know (an Argo Rollout), a finished Job. A StatefulSet's
    claims are volumes of its pods.
    """
    objects = list(objects)
    current = _current(objects, known)
    for each in objects:
        name, kind, spec = title(each), each.get("kind"), each.get("spec") or {}
        if kind == "CronJob":
            template = (spec.get("jobTemplate") or {}).get("spec", {}).get("template")
        else:
            template = spec.get("template")
        owner = known.above.get(name, "")
        old = owner in current and kind == "ReplicaSet" and not _scaled(each) and current[owner] is not each
        if owner in known.known or old or (kind == "Job" and _finished(each)):
            continue
        if template:
            chain = known.top(name)
            pod_spec = template.get("spec") or {}
            yield Owner(chain[-1], name, chain=chain), {**pod_spec, "volumes": [*_volumes(each, pod_spec)]}


def _volumes(obj: Obj, pod_spec: Mapping[str, Any]) -> Iterator[Obj]:
    """Those of the template, and for a StatefulSet's claims those that its first pod gets."""
    yield from pod_spec.get("volumes") or []
    for claim in (obj.get("spec") or {}).get("volumeClaimTemplates") or []:
        name = claim["metadata"]["name"]
        yield {"name": name, "persistentVolumeClaim": {"claimName": f"{name}-{obj['metadata']['name']}-0"}}


def _current(objects: Iterable[Obj], known: Owners) -> dict[str, Obj]:
    """A ReplicaSet of each owner: one that makes pods, else the newest, which the owner would scale up again."""
    newest: dict[str, Obj] = {}
    for each in objects:
        owner = known.above.get(title(each))
        if owner and each.get("kind") == "ReplicaSet":
            newest[owner] = max(newest.get(owner, each), each, key=_rank)
    return newest


def _rank(replica_set: Obj) -> tuple[bool, int, str]:
    """Deployments and Rollouts count their revisions in an annotation; a rollback raises the old one's."""
    metadata = replica_set.get("metadata") or {}
    revisions = [text for key, text in (metadata.get("annotations") or {}).items() if key.endswith("/revision")]
    number = max((int(text) for text in revisions if text.isdigit()), default=0)
    return _scaled(replica_set), number, str(metadata.get("creationTimestamp") or "")


def _scaled(replica_set: Obj) -> bool:
    return (replica_set.get("spec") or {}).get("replicas") != 0


def _finished(job: Obj) -> bool:
    conditions = (job.get("status") or {}).get("conditions") or []
    return any(one["type"] in ("Complete", "Failed") and one["status"] == "True" for one in conditions)
