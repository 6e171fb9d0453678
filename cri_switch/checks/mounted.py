"""Which paths of its node a pod mounts: by a hostPath, or by a claim on a volume that is a path of the node."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cri_switch.checks.owner import Obj, namespace_of


@dataclass(frozen=True)
class NodePath:
    """A volume that is a path of the node; `shown` also names the claim that leads to it, where one does."""

    path: str
    shown: str


def claimed_paths(claims: Iterable[Obj], volumes: Iterable[Obj]) -> dict[str, NodePath]:
    """`namespace/claim` to what is behind it, where that is a hostPath or local PersistentVolume.

    A claim counts that is bound, or that a volume is kept for (its claimRef).
    """
    behind, kept = dict[str, str](), dict[str, str]()
    for volume in volumes:
        spec, name = volume.get("spec") or {}, volume["metadata"]["name"]
        source = spec.get("hostPath") or spec.get("local") or {}
        if path := source.get("path"):
            behind[name] = path
            wanted = spec.get("claimRef") or {}
            kept[f"{wanted.get('namespace')}/{wanted.get('name')}"] = name
    found = {}
    for claim in claims:
        title = f"{namespace_of(claim)}/{claim['metadata']['name']}"
        name = (claim.get("spec") or {}).get("volumeName") or kept.get(title, "")
        if name in behind:
            words = f"by PersistentVolumeClaim {claim['metadata']['name']} and PersistentVolume {name}"
            found[title] = NodePath(behind[name], f"{behind[name]} ({words})")
    return found


def containers_of(spec: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """All containers of a pod's spec, init and ephemeral ones too."""
    for kind in ("containers", "initContainers", "ephemeralContainers"):
        yield from spec.get(kind) or []


def node_paths(spec: Mapping[str, Any], namespace: str, claimed: Mapping[str, NodePath]) -> dict[str, NodePath]:
    """The path of each volume of a pod's spec that is one of the node's, by the volume's name."""
    found = {}
    for volume in spec.get("volumes") or []:
        claim = f"{namespace}/{(volume.get('persistentVolumeClaim') or {}).get('claimName')}"
        if volume.get("hostPath"):
            path = volume["hostPath"].get("path", "")
            found[volume["name"]] = NodePath(path, path)
        elif claim in claimed:
            found[volume["name"]] = claimed[claim]
    return found


def mounted(spec: Mapping[str, Any], paths: Mapping[str, NodePath]) -> Iterator[tuple[NodePath, str]]:
    """Each of these paths that a container mounts, with what is reached by it: the path with the mount's subPath."""
    for container in containers_of(spec):
        for mount in container.get("volumeMounts") or []:
            if one := paths.get(mount.get("name", "")):
                yield one, posixpath.join(one.path, mount.get("subPath") or "")
