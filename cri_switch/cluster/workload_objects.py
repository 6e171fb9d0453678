"""Everything in the cluster that makes pods, as far as the credentials may see it."""

from __future__ import annotations

from collections.abc import Collection

from cri_switch.cluster.client import Cluster, Obj

KINDS = (
    "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "ReplicationController",
)  # fmt: skip


def workload_objects(cluster: Cluster, kinds: Collection[str] = KINDS) -> list[Obj]:
    """All objects of these kinds, in all namespaces. Raises ApiError, also for a kind that is not served."""
    return [each for kind in kinds for each in cluster.list(kind)]
