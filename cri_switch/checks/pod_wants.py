"""What a pod's spec says of its neighbours: required (anti-)affinity, topology spread that may not be broken."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from cri_switch.checks.owner import Obj, namespace_of
from cri_switch.model.label_selector import selects

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_NOT_UNDERSTOOD = ("minDomains", "matchLabelKeys", "mismatchLabelKeys", "nodeTaintsPolicy", "nodeAffinityPolicy")


@dataclass(frozen=True)
class Term:
    """Pods of these namespaces (None: of all) that a LabelSelector (as JSON) selects, counted by a node label."""

    key: str
    namespaces: frozenset[str] | None
    selector: str

    def counts(self, namespace: str, labels: Mapping[str, str]) -> bool:
        """Whether such a pod is one of them."""
        return (self.namespaces is None or namespace in self.namespaces) and selects(self._selector, labels)

    @property
    def label_keys(self) -> Sequence[str]:
        """The labels that the selector looks at."""
        given = self._selector
        return [*(given.get("matchLabels") or {}), *(e["key"] for e in given.get("matchExpressions") or [])]

    @cached_property
    def _selector(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = json.loads(self.selector)
        return found


@dataclass(frozen=True)
class Wants:
    """What a pod wants of its neighbours; `spread` are (term, maxSkew)."""

    away: tuple[Term, ...] = ()
    near: tuple[Term, ...] = ()
    spread: tuple[tuple[Term, int], ...] = ()

    @property
    def terms(self) -> tuple[Term, ...]:
        """All of them."""
        return (*self.away, *self.near, *(term for term, _ in self.spread))


NOTHING = Wants()


def wants(pod: Obj) -> Wants:
    """What its spec says; terms with fields that are not understood here are left out."""
    spec = pod.get("spec") or {}
    affinity, spread = spec.get("affinity") or {}, spec.get("topologySpreadConstraints") or []
    if not spread and not affinity.get("podAffinity") and not affinity.get("podAntiAffinity"):
        return NOTHING
    namespace = namespace_of(pod)
    hard = [
        (_term(each, frozenset({namespace})), int(each["maxSkew"]))
        for each in spread
        if each.get("whenUnsatisfiable") == "DoNotSchedule" and not any(name in each for name in _NOT_UNDERSTOOD)
    ]
    return Wants(
        _affinity_terms(affinity.get("podAntiAffinity"), namespace),
        _affinity_terms(affinity.get("podAffinity"), namespace),
        tuple(hard),
    )


def _affinity_terms(affinity: Mapping[str, Any] | None, namespace: str) -> tuple[Term, ...]:
    found = []
    for each in (affinity or {}).get(_REQUIRED) or []:
        of_namespaces = each.get("namespaceSelector")
        if of_namespaces or any(name in each for name in _NOT_UNDERSTOOD):
            continue
        everywhere = of_namespaces is not None
        names = frozenset(each.get("namespaces") or [namespace])
        found.append(_term(each, None if everywhere else names))
    return tuple(found)


def _term(given: Mapping[str, Any], namespaces: frozenset[str] | None) -> Term:
    selector = given.get("labelSelector")
    nothing = {"matchExpressions": [{"key": "-", "operator": "In", "values": []}]}
    return Term(given["topologyKey"], namespaces, json.dumps(nothing if selector is None else selector, sort_keys=True))
