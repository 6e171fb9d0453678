"""The manifests of a node's static pods."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import yaml

from cri_switch.rehearsal.pod import static_uid
from cri_switch.rehearsal.surroundings import Obj

if TYPE_CHECKING:
    from cri_switch.rehearsal.machine import Machine

FOLDER = "/etc/kubernetes/manifests"


class StaticPods:
    """Read again only when a file changed."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._seen: dict[str, tuple[bytes, Obj | None]] = {}

    def pods(self) -> list[Obj]:
        """As the kubelet knows them: named for the node, the UID is a hash; a file that is no pod is passed over."""
        found = []
        for name in self._machine.fs.names(FOLDER):
            if not name.endswith((".yaml", ".json", ".yml")):
                continue
            path = f"{FOLDER}/{name}"
            content = self._machine.fs.read(path)
            seen = self._seen.get(path)
            if seen is None or seen[0] != content:
                seen = self._seen[path] = (content, self._pod(content))
            if seen[1] is not None:
                found.append(seen[1])
        return found

    def _pod(self, content: bytes) -> Obj | None:
        try:
            manifest = yaml.safe_load(content)
        except yaml.YAMLError:
            return None
        if not isinstance(manifest, dict) or manifest.get("kind") != "Pod":
            return None
        pod = copy.deepcopy(manifest)
        uid = static_uid(manifest, self._machine.name)
        meta = pod["metadata"]
        meta["name"] = f"{meta['name']}-{self._machine.name}"
        meta.setdefault("namespace", "default")
        meta["uid"] = uid
        notes = meta.setdefault("annotations", {})
        notes |= {"kubernetes.io/config.hash": uid, "kubernetes.io/config.source": "file"}
        pod.setdefault("spec", {})["nodeName"] = self._machine.name
        return pod


def mirror(pod: Obj, node: Obj | None) -> Obj:
    """Its mirror pod for the API."""
    made = copy.deepcopy(pod)
    uid = made["metadata"].pop("uid")
    made["metadata"]["annotations"]["kubernetes.io/config.mirror"] = uid
    if node is not None:
        owner = {"apiVersion": "v1", "kind": "Node", "name": node["metadata"]["name"], "uid": node["metadata"]["uid"]}
        made["metadata"]["ownerReferences"] = [{**owner, "controller": True}]
    made.setdefault("apiVersion", "v1")
    made.setdefault("kind", "Pod")
    made["status"] = {"phase": "Pending"}
    return made
