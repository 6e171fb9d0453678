"""What a drain would refuse, delete or wait long for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cri_switch.checks.owner import Obj, Owners, owner_of
from cri_switch.checks.traits import by_owner, of_pod
from cri_switch.model.finding import Finding
from cri_switch.model.migration import Drain
from cri_switch.model.system_paths import is_system_path

_LONG = 300
_NORMAL_FINALIZERS = frozenset({"batch.kubernetes.io/job-tracking", "orphan", "foregroundDeletion"})
_REPLICATED = frozenset({"Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"})


def check_drain(leaving: Sequence[Obj], objects: Iterable[Obj], known: Owners, settings: Drain) -> list[Finding]:
    """One finding for each owner whose pods (`leaving`: those that a drain evicts) have one of these traits.

    Errors where the drain would refuse: bare pods without spec.drain.force, emptyDir without delete_emptydir_data.
    """
    single = {_title(each) for each in objects if each.get("kind") in _REPLICATED and _replicas(each) == 1}
    return [
        *_bare(leaving, settings),
        *_empty_dir(leaving, known, settings),
        *_single(leaving, known, single),
        *_grace(leaving, known, settings),
        *_finalizers(leaving),
        *_host_path(leaving, known),
    ]


def _bare(leaving: Sequence[Obj], settings: Drain) -> list[Finding]:
    bare = [
        pod for pod in leaving if not any(r.get("controller") for r in pod["metadata"].get("ownerReferences") or [])
    ]
    if settings.force:
        return [
            of_pod("warning", "BarePod", pod, "has no controller: the drain deletes it, and nobody makes it anew", "")
            for pod in bare
        ]
    remedy = "delete it or give it a controller, or set spec.drain.force: true (it is deleted for good then)"
    return [of_pod("error", "BarePod", pod, "has no controller, so the drain refuses", remedy) for pod in bare]


def _empty_dir(leaving: Sequence[Obj], known: Owners, settings: Drain) -> list[Finding]:
    def volumes(pod: Obj) -> list[str]:
        return [v["name"] for v in pod["spec"].get("volumes") or [] if v.get("emptyDir") is not None]

    if settings.delete_emptydir_data:
        return by_owner(
            "warning", "EmptyDirData", leaving, known, volumes, "keeps data in emptyDir, which the drain deletes"
        )
    return by_owner(
        "error",
        "EmptyDirData",
        leaving,
        known,
        volumes,
        "keeps data in emptyDir, so the drain refuses",
        "look whether the data may go, then set spec.drain.delete_emptydir_data: true",
    )


def _single(leaving: Sequence[Obj], known: Owners, single: set[str]) -> list[Finding]:
    def alone(pod: Obj) -> list[str]:
        owner = owner_of(pod, known)
        return ["one replica"] if {owner.name, *owner.chain} & single else []

    return by_owner(
        "warning",
        "SingleReplica",
        leaving,
        known,
        alone,
        "has one replica: it is down from its eviction until it is ready on another node",
        "scale it to two for the migration where it can be",
    )


def _grace(leaving: Sequence[Obj], known: Owners, settings: Drain) -> list[Finding]:
    limit = min(_LONG, settings.timeout or _LONG)

    def long(pod: Obj) -> list[str]:
        own = int(pod["spec"].get("terminationGracePeriodSeconds") or 0)
        seconds = own if settings.grace_period < 0 else settings.grace_period
        return [f"{seconds} s"] if seconds > limit else []

    return by_owner(
        "warning",
        "LongGracePeriod",
        leaving,
        known,
        long,
        f"may take {{}} to end; a drain has {settings.timeout:g} s" if settings.timeout else "may take {} to end",
        "raise spec.drain.timeout above it, or set spec.drain.grace_period",
    )


def _finalizers(leaving: Sequence[Obj]) -> list[Finding]:
    found = []
    for pod in leaving:
        names = set(pod["metadata"].get("finalizers") or []) - _NORMAL_FINALIZERS
        if names:
            text = f"has finalizers ({', '.join(sorted(names))}): it is not gone before they are taken off"
            found.append(of_pod("warning", "PodFinalizers", pod, text, "see that their controller runs"))
    return found


def _host_path(leaving: Sequence[Obj], known: Owners) -> list[Finding]:
    def paths(pod: Obj) -> list[str]:
        spec = pod["spec"]
        if "kubernetes.io/hostname" in (spec.get("nodeSelector") or {}):
            return []  # it comes back to its data
        return [
            v["hostPath"]["path"]
            for v in spec.get("volumes") or []
            if v.get("hostPath")
            and not is_system_path(v["hostPath"]["path"])
            and v["hostPath"].get("type") not in ("Socket", "CharDevice", "BlockDevice")
        ]

    return by_owner(
        "warning",
        "HostPathData",
        leaving,
        known,
        paths,
        "uses {} of its node, which it does not find on another",
        "give it a volume, or tie it to its node with a nodeSelector",
    )


def _title(each: Obj) -> str:
    return f"{each['metadata'].get('namespace', 'default')}/{each.get('kind')}/{each['metadata']['name']}"


def _replicas(each: Obj) -> int:
    given = (each.get("spec") or {}).get("replicas")
    return 1 if given is None else int(given)
