"""A DaemonSet that stays off nodes with our label, and the way back from that: pure.

A DaemonSet's controller decides by the template as it is now: a node that its required node affinity does not fit loses
its pod at once (`nodeShouldRunDaemonPod` in daemon_controller.go). With updateStrategy OnDelete a changed template
restarts nothing else. With the template of before the controller finds its old ControllerRevision again and with it the
hash that the pods elsewhere carry, so that RollingUpdate, once it is back, finds nothing to replace.
"""

from __future__ import annotations

import copy
import json
from typing import Any

from cri_switch.cluster.client import Obj

HOLD = "cri-switch.io/hold"
"""Label of a node that held DaemonSets stay off; its value is the migration's id."""
ORIGINAL = "cri-switch.io/held-original"
"""Annotation of a held DaemonSet: updateStrategy and affinity of before, as JSON. Whoever comes next puts them back."""
_NOT_HELD = {"key": HOLD, "operator": "DoesNotExist"}
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_ON_DELETE = {"type": "OnDelete"}


def is_held(daemonset: Obj) -> bool:
    """Whether anything of ours is on it."""
    return ORIGINAL in (daemonset["metadata"].get("annotations") or {}) or _affinity(daemonset) != _without(
        _affinity(daemonset)
    )


def held(daemonset: Obj) -> Obj:
    """The DaemonSet off labelled nodes, with what it was noted on it. What an administrator changed since stays."""
    fresh = put_back(daemonset)
    spec, pod = fresh["spec"], fresh["spec"]["template"]["spec"]
    noted = {"updateStrategy": spec.get("updateStrategy"), "affinity": pod.get("affinity")}
    fresh["metadata"].setdefault("annotations", {})[ORIGINAL] = json.dumps(noted, sort_keys=True)
    pod["affinity"] = _with(pod.get("affinity"))
    spec["updateStrategy"] = dict(_ON_DELETE)
    return fresh


def put_back(daemonset: Obj) -> Obj:
    """The DaemonSet as it was, but for what somebody else changed since: that is left as it is."""
    fresh = copy.deepcopy(daemonset)
    annotations = fresh["metadata"].get("annotations") or {}
    noted = _noted(annotations.pop(ORIGINAL, None))
    pod, now = fresh["spec"]["template"]["spec"], _affinity(fresh)
    untouched = noted is not None and now == _with(noted["affinity"])
    _set(pod, "affinity", noted["affinity"] if noted is not None and untouched else _without(now))
    if noted is not None and fresh["spec"].get("updateStrategy") == _ON_DELETE:
        _set(fresh["spec"], "updateStrategy", noted["updateStrategy"])
    return fresh


def merge_patch(old: Any, new: Any) -> dict[str, Any]:
    """What makes `new` of `old` as a JSON merge patch (RFC 7396); both are objects, equal ones give {}."""
    patch: dict[str, Any] = {key: None for key in old if key not in new}
    for key, value in new.items():
        before = old.get(key)
        if isinstance(value, dict) and isinstance(before, dict):
            if inner := merge_patch(before, value):
                patch[key] = inner
        elif key not in old or before != value:
            patch[key] = value
    return patch


def _affinity(daemonset: Obj) -> Obj | None:
    found: Obj | None = daemonset["spec"]["template"]["spec"].get("affinity")
    return found


def _noted(text: str | None) -> Obj | None:
    """What was noted; None where there is no note or somebody wrote something else there."""
    try:
        found = json.loads(text or "null")
    except ValueError:
        return None
    return found if isinstance(found, dict) and found.keys() == {"updateStrategy", "affinity"} else None


def _set(where: Obj, key: str, value: Any) -> None:
    if value is None:
        where.pop(key, None)
    else:
        where[key] = value


def _with(affinity: Obj | None) -> Obj:
    """Our expression in every term: terms are alternatives, and an empty one fits no node as it is."""
    fresh = copy.deepcopy(affinity or {})
    node = fresh["nodeAffinity"] = dict(fresh.get("nodeAffinity") or {})
    terms = (node.get(_REQUIRED) or {}).get("nodeSelectorTerms") or []
    wanted = [
        {**term, "matchExpressions": [*(term.get("matchExpressions") or []), dict(_NOT_HELD)]} if term else term
        for term in terms
    ]
    node[_REQUIRED] = {"nodeSelectorTerms": wanted or [{"matchExpressions": [dict(_NOT_HELD)]}]}
    return fresh


def _without(affinity: Obj | None) -> Obj | None:
    """Our expression out of every term; a term of nothing else fitted every node, so then nothing was required."""
    required = ((affinity or {}).get("nodeAffinity") or {}).get(_REQUIRED) or {}
    terms = required.get("nodeSelectorTerms") or []
    if not affinity or not any(_NOT_HELD in (term.get("matchExpressions") or []) for term in terms):
        return affinity
    fresh = copy.deepcopy(affinity)
    kept, everywhere = [], False
    for term in terms:
        others = [each for each in term.get("matchExpressions") or [] if each != _NOT_HELD]
        rest = {key: value for key, value in term.items() if key != "matchExpressions"}
        kept.append({**rest, "matchExpressions": others} if others else rest)
        everywhere = everywhere or (bool(term) and not kept[-1])
    if not everywhere:
        fresh["nodeAffinity"][_REQUIRED]["nodeSelectorTerms"] = kept
        return fresh
    del fresh["nodeAffinity"][_REQUIRED]
    if not fresh["nodeAffinity"]:
        del fresh["nodeAffinity"]
    return fresh or None
