"""What is run inside etcd's container: etcdctl."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from cri_switch.rehearsal.box import Box
from cri_switch.rehearsal.etcd_members import members, quorum, running
from cri_switch.rehearsal.reply import Call, Reply, UnknownUse, failed, said

if TYPE_CHECKING:
    from cri_switch.rehearsal.machine import Machine

KEYS, REVISION = 1318, 2451


def inside(call: Call, box: Box, argv: list[str]) -> Reply:
    """`etcdctl [--option=value...] endpoint health|status [-w json]`, `member list -w json`, `snapshot ...`."""
    if box.name != "etcd" or argv[:1] not in (["etcdctl"], ["etcdutl"]):
        raise UnknownUse(f"exec {' '.join(argv)} in {box.name}")
    match [word for word in argv[1:] if not word.startswith("--")]:
        case ["endpoint", "health"]:
            return _health(call.machine, argv)
        case ["endpoint", "status", "-w", "json"]:
            return _status(call.machine, every="--cluster" in argv)
        case ["member", "list", "-w", "json"]:
            return _members(call.machine)
        case ["snapshot", "save", path]:
            return _save(call.machine, path)
        case ["snapshot", "status", path, "-w", "json"]:
            return _saved(call.machine, path)
        case _:
            raise UnknownUse(f"exec {' '.join(argv)}")


def _health(machine: Machine, argv: list[str]) -> Reply:
    endpoint = next((word.partition("=")[2] for word in argv if word.startswith("--endpoints=")), "127.0.0.1:2379")
    if quorum(machine.world.machines.values()):
        return said("", 0, f"{endpoint} is healthy: successfully committed proposal: took = 9.1ms\n")
    why = f"{endpoint} is unhealthy: failed to commit proposal: context deadline exceeded"
    return failed(f"{why}\nError: unhealthy cluster")


def _status(machine: Machine, *, every: bool) -> Reply:
    """Each answers for itself; the leader is the first member that runs."""
    machines = machine.world.machines.values()
    answering = running(machines)
    leader = _id(answering[0]) if quorum(machines) else 0
    found = [
        {
            "Endpoint": _url(one) if every else "https://127.0.0.1:2379",
            "Status": {
                "header": {"cluster_id": 1, "member_id": _id(one), "revision": REVISION},
                "version": "3.4.13",
                "dbSize": 4 << 20,
                "leader": leader,
                **({} if leader else {"errors": ["etcdserver: no leader"]}),
            },
        }
        for one in (answering if every else [machine])
    ]
    silent = [one for one in members(machines) if one not in answering] if every else []
    err = "".join(f"Failed to get the status of endpoint {_url(one)} (context deadline exceeded)\n" for one in silent)
    return said(json.dumps(found) + "\n", 1 if silent else 0, err)


def _members(machine: Machine) -> Reply:
    """Of etcd 3.4 each member has the list by heart, quorum or not."""
    every = members(machine.world.machines.values())
    found = [{"ID": _id(one), "name": one.name, "clientURLs": [_url(one)]} for one in every]
    return said(json.dumps({"header": {"member_id": _id(machine)}, "members": found}) + "\n")


def _save(machine: Machine, path: str) -> Reply:
    machine.fs.write(path, f"simulated snapshot of {machine.name} " * 64, 0o600)
    log = {"level": "info", "msg": "saved", "path": path}
    return said(f"Snapshot saved at {path}\n", 0, json.dumps(log) + "\n")


def _saved(machine: Machine, path: str) -> Reply:
    if not machine.fs.exists(path):
        return failed(f"Error: stat {path}: no such file or directory")
    size = machine.fs.entry(path).length
    return said(json.dumps({"hash": 1, "revision": REVISION, "totalKey": KEYS, "totalSize": size}) + "\n")


def _id(machine: Machine) -> int:
    return int.from_bytes(hashlib.sha256(machine.name.encode()).digest()[:6])


def _url(machine: Machine) -> str:
    return f"https://{machine.address}:2379"
