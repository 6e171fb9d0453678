"""crictl: a client of the CRI."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from cri_switch.rehearsal.box import Box
from cri_switch.rehearsal.containerd_engine import SOCKET
from cri_switch.rehearsal.programs import etcd
from cri_switch.rehearsal.reply import Call, Reply, UnknownUse, failed, said

if TYPE_CHECKING:
    from cri_switch.rehearsal.machine import Machine

_SHIM = "unix:///var/run/dockershim.sock"


def crictl(call: Call) -> Reply:
    """`crictl [--runtime-endpoint E] info|ps|pods|inspect|exec|stop|rm|stopp|rmp ...`."""
    machine, args = call.machine, call.args
    if args[:1] == ["--version"]:
        return said("crictl version v1.20.0\n")
    endpoint = _configured(machine)
    if args[:1] == ["--runtime-endpoint"]:
        endpoint, args = args[1], args[2:]
    if endpoint.replace("/var/run/", "/run/") != f"unix://{SOCKET}":
        return _refused(
            f"connect: connect endpoint '{endpoint}', make sure you are running as root and the endpoint has been"
            f" started: dial {endpoint.replace('://', ' ')}: connect: no such file or directory"
        )
    if problem := machine.containerd.cri_problem():
        return _refused(f"getting the runtime version failed: {problem}")
    verbs = {"info": _info, "ps": _ps, "pods": _pods, "inspect": _inspect, "exec": _exec, "stop": _stop, "rmp": _rmp}
    if not args or args[0] not in verbs:
        raise UnknownUse("crictl")
    return verbs[args[0]](call, args[1:])


def _configured(machine: Machine) -> str:
    found = re.search(r"^runtime-endpoint:\s*(\S+)", machine.fs.text("/etc/crictl.yaml") or "", re.M)
    return found[1] if found else f"unix://{SOCKET}"


def _refused(why: str) -> Reply:
    return failed(f'time="2026-11-23T18:00:00Z" level=fatal msg="{why}"')


def _info(call: Call, _args: list[str]) -> Reply:
    machine = call.machine
    pause, bin_dir, conf_dir, driver = machine.containerd.settings()
    network = machine.network.ready(conf_dir)
    conditions = [
        {"type": "RuntimeReady", "status": True, "reason": "", "message": ""},
        {
            "type": "NetworkReady",
            "status": network,
            "reason": "" if network else "NetworkPluginNotReady",
            "message": "" if network else "Network plugin returns error: cni plugin not initialized",
        },
    ]
    runc = {"runtimeType": "io.containerd.runc.v2", "options": {"SystemdCgroup": True} if driver == "systemd" else {}}
    config = {
        "containerd": {"snapshotter": "overlayfs", "runtimes": {"runc": runc}},
        "cni": {"binDir": bin_dir, "confDir": conf_dir},
        "sandboxImage": pause,
        "systemdCgroup": False,
    }
    return said(json.dumps({"status": {"conditions": conditions}, "config": config}, indent=2) + "\n")


def _state(box: Box) -> str:
    if box.sandbox:
        return "SANDBOX_READY" if box.running else "SANDBOX_NOTREADY"
    return "CONTAINER_RUNNING" if box.running else "CONTAINER_EXITED"


def _ps(call: Call, args: list[str]) -> Reply:
    every, form, name, state, quiet, words = False, "", "", "", False, iter(args)
    for word in words:
        match word:
            case "-a":
                every = True
            case "-q":
                quiet = True
            case "-o":
                form = next(words)
            case "--name":
                name = next(words)
            case "--state":
                state = next(words)
            case _:
                raise UnknownUse(f"crictl ps {word}")
    found = [
        box
        for box in call.machine.containerd.boxes.values()
        if not box.sandbox
        and (every or box.running)
        and re.search(name, box.name)
        and (not state or _state(box) == f"CONTAINER_{state.upper()}")
    ]
    if quiet:
        return said("".join(f"{box.id}\n" for box in found))
    if form != "json":
        raise UnknownUse("crictl ps without -o json")
    return said(json.dumps({"containers": [_container(box) for box in found]}, indent=2) + "\n")


def _container(box: Box) -> dict[str, Any]:
    return {
        "id": box.id,
        "podSandboxId": box.sandbox_id,
        "metadata": {"name": box.name, "attempt": box.attempt},
        "image": {"image": box.image.id, "annotations": {}},
        "imageRef": box.image.id,
        "state": _state(box),
        "createdAt": str(int(box.created * 1e9)),
        "labels": box.labels,
        "annotations": {"io.kubernetes.pod.terminationGracePeriod": str(box.owner.grace)} if box.pod else {},
    }


def _pods(call: Call, args: list[str]) -> Reply:
    found = [box for box in call.machine.containerd.boxes.values() if box.sandbox]
    if args == ["-q"]:
        return said("".join(f"{box.id}\n" for box in found))
    if args != ["-o", "json"]:
        raise UnknownUse("crictl pods")
    return said(json.dumps({"items": [_sandbox(box) for box in found]}, indent=2) + "\n")


def _sandbox(box: Box) -> dict[str, Any]:
    meta = {"name": box.owner.name, "uid": box.owner.uid, "namespace": box.owner.namespace, "attempt": box.attempt}
    return {
        "id": box.id,
        "metadata": meta,
        "state": _state(box),
        "createdAt": str(int(box.created * 1e9)),
        "labels": box.labels,
        "annotations": {},
        "runtimeHandler": "",
    }


def _inspect(call: Call, args: list[str]) -> Reply:
    if args[:2] != ["-o", "json"] or len(args) != 3:
        raise UnknownUse("crictl inspect")
    box = call.machine.containerd.boxes.get(args[2])
    if box is None:
        return _refused(f"getting the status of the container {args[2]!r}: not found")
    status = _container(box) | {"logPath": box.log, "exitCode": box.exit_code}
    del status["podSandboxId"]
    return said(json.dumps({"status": status, "info": {"pid": box.pid, "sandboxID": box.sandbox_id}}) + "\n")


def _exec(call: Call, args: list[str]) -> Reply:
    rest = args[1:] if args[:1] == ["-s"] else args
    box = call.machine.containerd.boxes.get(rest[0])
    if box is None or not box.running:
        return _refused(f"execing command in container: failed to find container {rest[0]!r} in store: not found")
    return etcd.inside(call, box, rest[1:])


def _stop(call: Call, args: list[str]) -> Reply:
    names = args
    if args[:1] in (["-t"], ["--timeout"]):
        names = args[2:]
    for name in names:
        box = call.machine.containerd.boxes.get(name)
        if box is None:
            return _refused(f"stopping the container {name!r}: not found")
        call.machine.containerd.stop_box(box)
    return said("".join(f"{name}\n" for name in names))


def _rmp(call: Call, args: list[str]) -> Reply:
    engine = call.machine.containerd
    flags = "".join(word.lstrip("-") for word in args if word.startswith("-"))
    if set(flags) - set("af"):
        raise UnknownUse("crictl rmp")
    names = [box.id for box in engine.boxes.values() if box.sandbox] if "a" in flags else []
    names += [word for word in args if not word.startswith("-")]
    for name in names:
        box = engine.boxes.get(name)
        if box is None:
            return _refused(f"getting sandbox status of pod {name!r}: not found")
        if box.running and "f" not in flags:
            return _refused(f"pod sandbox {name!r} is running, please stop it first")
        engine.remove_sandbox(box)
    return said("".join(f"Removed sandbox {name}\n" for name in names))
