"""Which pods may be beside which: required pod affinity and anti-affinity, topology spread that may not be broken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from cri_switch.checks.owner import Obj, namespace_of
from cri_switch.checks.pod_wants import NOTHING, Term, wants


class Neighbours:
    """Who is where, by topology domain (the value of a node's label); `move` keeps it true."""

    def __init__(self, nodes: Iterable[Obj], pods: Iterable[Obj]) -> None:
        self._labels = {each["metadata"]["name"]: each["metadata"].get("labels") or {} for each in nodes}
        there = [pod for pod in pods if (pod.get("spec") or {}).get("nodeName") in self._labels]
        terms = {term: None for pod in there for term in wants(pod).terms}
        self._terms = list(terms)
        self._keys = {key for term in terms for key in term.label_keys}
        self._alike: dict[str, tuple[Term, ...]] = {}
        self._count: dict[Term, Counter[str]] = {term: Counter() for term in terms}
        self._holders: dict[Term, Counter[str]] = {term: Counter() for term in terms}
        for pod in there:
            self.move(pod, None, pod["spec"]["nodeName"])

    def move(self, pod: Obj, source: str | None, target: str | None) -> None:
        """It went from one node to another; None is nowhere."""
        if not self._terms:
            return
        selected, away = self._selected_by(pod), wants(pod).away
        for node, change in ((source, -1), (target, 1)):
            if node is None:
                continue
            labels = self._labels[node]
            for term in selected:
                if term.key in labels:
                    self._count[term][labels[term.key]] += change
            for term in away:
                if term.key in labels:
                    self._holders[term][labels[term.key]] += change

    def concern(self, pod: Obj) -> bool:
        """Whether `allow` can refuse it any node."""
        return bool(self._terms) and (wants(pod) != NOTHING or any(self._holders[t] for t in self._selected_by(pod)))

    def allow(self, pod: Obj, node: str, domains: Collection[str]) -> bool:
        """Whether it may run on a node; `domains` are the nodes between which it has to be spread."""
        labels, wish, selected = self._labels[node], wants(pod), self._selected_by(pod)
        if any(self._count[term][labels[term.key]] > 0 for term in wish.away if term.key in labels):
            return False
        if any(self._holders[term][labels[term.key]] > 0 for term in selected if term.key in labels):
            return False
        for term in wish.near:
            first = term in selected and not any(self._count[term].values())
            if term.key not in labels or not (first or self._count[term][labels[term.key]] > 0):
                return False
        return all(self._even(term, skew, term in selected, labels, domains) for term, skew in wish.spread)

    def _even(self, term: Term, skew: int, itself: bool, labels: Mapping[str, str], domains: Collection[str]) -> bool:
        if term.key not in labels:
            return False
        count = self._count[term]
        places = {self._labels[name].get(term.key) for name in domains} - {None}
        fewest = min((count[place] for place in places if place is not None), default=0)
        return count[labels[term.key]] + itself - fewest <= skew

    def _selected_by(self, pod: Obj) -> tuple[Term, ...]:
        """The terms that count it; the same for pods alike in namespace and in the labels that terms look at."""
        namespace, labels = namespace_of(pod), pod["metadata"].get("labels") or {}
        alike = f"{namespace} {sorted((k, v) for k, v in labels.items() if k in self._keys)}"
        if alike not in self._alike:
            self._alike[alike] = tuple(term for term in self._terms if term.counts(namespace, labels))
        return self._alike[alike]
