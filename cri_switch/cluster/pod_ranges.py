"""The nodes' pod ranges, and whether the pod network goes by them."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection

from cri_switch.cluster.client import Cluster


def inside(ip: str, ranges: Collection[str]) -> bool:
    """Whether the address is of one of these ranges."""
    address = ipaddress.ip_address(ip)
    return any(address in ipaddress.ip_network(each, strict=False) for each in ranges)


def foreign_ranges(cluster: Cluster, *, but: str) -> bool:
    """Whether this cluster's pod network does not use the nodes' pod ranges: a pod elsewhere is outside its node's.

    Pods of the app `but` do not count.
    """
    ranges = {n["metadata"]["name"]: n["spec"].get("podCIDRs") or [] for n in cluster.list("Node")}
    for pod in cluster.list("Pod"):
        ip, known = (pod.get("status") or {}).get("podIP"), ranges.get(pod["spec"].get("nodeName"))
        mine = (pod["metadata"].get("labels") or {}).get("app") == but
        if ip and known and not mine and not pod["spec"].get("hostNetwork") and not inside(ip, known):
            return True
    return False
