"""Which data the backup does not contain: pure."""

from __future__ import annotations

from collections.abc import Iterable

from cri_switch.cluster import pods
from cri_switch.cluster.client import Obj
from cri_switch.model.system_paths import is_system_path


def not_backed_up(all_pods: Iterable[Obj], claims: Iterable[Obj], volumes: Iterable[Obj]) -> list[str]:
    """One line for each volume with data of its own: claims with what is behind them, and hostPath directories.

    Not listed: what the system itself mounts (sockets, certificates, logs), what the backup has (etcd), emptyDir.
    """
    behind = {volume["metadata"]["name"]: volume for volume in volumes}
    lines = {_claim_line(claim, behind) for claim in claims}
    used: dict[tuple[str, str, str], set[str]] = {}
    for pod in all_pods:
        owner, metadata = pods.controller(pod), pod["metadata"]
        who = f"{owner['kind']} {metadata['namespace']}/{owner['name']}" if owner else f"Pod {pods.title(pod)}"
        node = pod["spec"].get("nodeName") or "no node yet"
        for volume in pod["spec"].get("volumes") or []:
            path = (volume.get("hostPath") or {}).get("path")
            kind = (volume.get("hostPath") or {}).get("type") or ""
            if path and not is_system_path(path) and kind not in ("Socket", "CharDevice", "BlockDevice"):
                used.setdefault((path, who, volume["name"]), set()).add(node)
    lines |= {f"hostPath {path} of {who} on {', '.join(sorted(nodes))}" for (path, who, _), nodes in used.items()}
    return sorted(lines)


def _claim_line(claim: Obj, behind: dict[str, Obj]) -> str:
    metadata, name = claim["metadata"], claim["spec"].get("volumeName") or ""
    title = f"PersistentVolumeClaim {metadata['namespace']}/{metadata['name']}"
    volume = behind.get(name)
    if volume is None:
        return f"{title} ({f'PersistentVolume {name}' if name else 'not bound'})"
    spec = volume["spec"]
    for kind in ("local", "hostPath"):
        if kind in spec:
            where = ", ".join(_hosts(spec))
            return f"{title} (PersistentVolume {name}: {kind} {spec[kind]['path']}{f' on {where}' if where else ''})"
    return f"{title} (PersistentVolume {name})"


def _hosts(spec: Obj) -> list[str]:
    """The host names that a PersistentVolume's node affinity allows."""
    required = (spec.get("nodeAffinity") or {}).get("required") or {}
    expressions = [e for term in required.get("nodeSelectorTerms") or [] for e in term.get("matchExpressions") or []]
    return [value for e in expressions if e["key"] == "kubernetes.io/hostname" for value in e.get("values") or []]
