"""Pods that are left Pending because an administrator keeps cordoned the only nodes that would take them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from cri_switch.cluster import pods
from cri_switch.cluster.client import Cluster, Obj
from cri_switch.cluster.workloads import Owners
from cri_switch.model.label_selector import selects

Kept = Callable[[Sequence[Obj]], Sequence[Obj]]
"""Of pods without a node, those that wait for an administrator's uncordon."""


def none_kept(_pods: Sequence[Obj]) -> Sequence[Obj]:
    """Every pod is waited for."""
    return ()


class LeftPending:
    """Looked at when something is missing; `pods` are those of the last look."""

    def __init__(self, cluster: Cluster, kept: Kept) -> None:
        self._cluster, self._kept = cluster, kept
        self.pods: Sequence[Obj] = ()

    def look(self) -> Sequence[Obj]:
        """Them as they are now. Raises ApiError, Unreachable."""
        waiting = [pod for pod in self._cluster.list("Pod", fields="spec.nodeName=") if not pods.is_finished(pod)]
        self.pods = self._kept(waiting) if waiting else ()
        return self.pods

    def by_controller(self) -> Counter[tuple[str, str, str]]:
        """How many of each (namespace, kind, name), after a look."""
        owners = Owners(self._cluster)
        return Counter(key for pod in self.look() if (key := owners.of(pod)))

    def budgets(self, budgets: Sequence[Obj]) -> set[str]:
        """Those (namespace/name) that such a pod spends, after a look."""
        left = self.look()
        return {pods.title(each) for each in budgets if any(_guards(each, pod) for pod in left)}

    def said(self) -> str:
        """For the end of a summary; empty when there are none."""
        names = ", ".join(sorted(map(pods.title, self.pods)))
        return f"; Pending until an administrator uncordons the node that would take them: {names}" if names else ""


def _guards(budget: Obj, pod: Obj) -> bool:
    metadata, selector = pod["metadata"], budget["spec"].get("selector")
    if selector is None or budget["metadata"]["namespace"] != metadata["namespace"]:
        return False
    return selects(selector, metadata.get("labels") or {})
