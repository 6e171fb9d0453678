"""What is run inside etcd's container: etcdctl."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from cri_switch.rehearsal.engine import Box
from cri_switch.rehearsal.reply import Call, Reply, UnknownUse, failed, said

if TYPE_CHECKING:
    from cri_switch.rehearsal.machine import Machine

KEYS, REVISION = 1318, 2451


def inside(call: Call, box: Box, argv: list[str]) -> Reply:
    """`etcdctl [--option=value...] snapshot save|status PATH [-w json]` and `endpoint health`."""
    if box.name != "etcd" or argv[:1] not in (["etcdctl"], ["etcdutl"]):
        raise UnknownUse(f"exec {' '.join(argv)} in {box.name}")
    words = [word for word in argv[1:] if not word.startswith("--")]
    endpoint = next((word.partition("=")[2] for word in argv if word.startswith("--endpoints=")), "127.0.0.1:2379")
    if words == ["endpoint", "health"]:
        return said("", 0, f"{endpoint} is healthy: successfully committed proposal: took = 9.1ms\n")
    if words[:2] == ["endpoint", "status"] and words[-2:] == ["-w", "json"]:
        return said(json.dumps(_status(call, every="--cluster" in argv)) + "\n")
    if words == ["member", "list", "-w", "json"]:
        members = [{"ID": _id(one), "name": one.name, "clientURLs": [_url(one)]} for one in _members(call.machine)]
        return said(json.dumps({"header": {"member_id": _id(call.machine)}, "members": members}) + "\n")
    if words[:2] == ["snapshot", "save"]:
        content = f"simulated snapshot of {call.machine.name} " * 64
        call.machine.fs.write(words[2], content, 0o600)
        log = {"level": "info", "msg": "saved", "path": words[2]}
        return said(f"Snapshot saved at {words[2]}\n", 0, json.dumps(log) + "\n")
    if words[:2] == ["snapshot", "status"] and words[3:] == ["-w", "json"]:
        if not call.machine.fs.exists(words[2]):
            return failed(f"Error: stat {words[2]}: no such file or directory")
        size = call.machine.fs.entry(words[2]).length
        return said(json.dumps({"hash": 1, "revision": REVISION, "totalKey": KEYS, "totalSize": size}) + "\n")
    raise UnknownUse(f"exec {' '.join(argv)}")


def _members(machine: Machine) -> list[Machine]:
    return [one for one in machine.world.machines.values() if one.kubelet.static.etcd]


def _runs(machine: Machine) -> bool:
    boxes = [*machine.docker.boxes.values(), *machine.containerd.boxes.values()]
    return machine.up and any(box.name == "etcd" and box.running for box in boxes)


def _id(machine: Machine) -> int:
    return int.from_bytes(hashlib.sha256(machine.name.encode()).digest()[:6])


def _url(machine: Machine) -> str:
    return f"https://{machine.address}:2379"


def _status(call: Call, *, every: bool) -> list[dict[str, Any]]:
    """The leader is the first member that runs."""
    running = [one for one in _members(call.machine) if _runs(one)]
    leader = _id(running[0]) if running else 0
    asked = running if every else [call.machine]
    return [
        {
            "Endpoint": _url(one) if every else "https://127.0.0.1:2379",
            "Status": {
                "header": {"cluster_id": 1, "member_id": _id(one), "revision": REVISION},
                "version": "3.4.13",
                "dbSize": 4 << 20,
                "leader": leader,
            },
        }
        for one in asked
    ]
