"""containerd itself, and ctr."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING

import tomlkit

from cri_switch.rehearsal.containerd_engine import SOCKET
from cri_switch.rehearsal.containerd_settings import CRI, BadConfig, understand
from cri_switch.rehearsal.images import Image
from cri_switch.rehearsal.reply import Call, Reply, UnknownUse, failed, said

if TYPE_CHECKING:
    from cri_switch.rehearsal.box import Box
    from cri_switch.rehearsal.machine import Machine


def containerd(call: Call) -> Reply:
    """`containerd --version` and `containerd --config /dev/stdin config dump`."""
    machine = call.machine
    if call.args == ["--version"]:
        package = machine.packages.known["containerd"].version
        return said(f"containerd github.com/containerd/containerd {package.rpartition('-')[0]} {package}\n")
    if call.args != ["--config", "/dev/stdin", "config", "dump"]:
        raise UnknownUse("containerd")
    text = call.stdin.decode("utf-8", "replace")
    try:
        understand(text, machine.containerd.release)
    except BadConfig as problem:
        return failed(str(problem))
    data = tomllib.loads(text)
    if machine.containerd.release < (1, 5):  # its dump leaves runc's options out (seen with 1.4.13)
        runtimes = data.get("plugins", {}).get(CRI, {}).get("containerd", {}).get("runtimes", {})
        for runtime in runtimes.values():
            runtime.pop("options", None)
    return said(tomlkit.dumps(data))


def ctr(call: Call) -> Reply:
    """`ctr [-n NAMESPACE] tasks|images|containers|plugins ...`."""
    machine, args = call.machine, call.args
    if args[:1] == ["--version"]:
        return said(f"ctr github.com/containerd/containerd {machine.containerd_version}\n")
    namespace = "default"
    if args[:1] == ["-n"]:
        namespace, args = args[1], args[2:]
    if not machine.containerd.up:
        return failed(f'ctr: failed to dial "{SOCKET}": context deadline exceeded')
    return _ask(machine, namespace, args)


def _ask(machine: Machine, namespace: str, args: list[str]) -> Reply:
    if args[:1] == ["tasks"]:
        return _tasks(machine, namespace, args[1:])
    if args[:1] == ["images"]:
        return _images(machine, namespace, args[1:])
    match args:
        case ["containers", "info", name]:
            return _container(machine, name)
        case ["containers", "ls", "-q"]:
            return said("".join(f"{box.id}\n" for box in _boxes(machine, namespace)))
        case ["containers", "rm", *names]:
            return _remove(machine, namespace, names)
    if args != ["plugins", "ls"]:
        raise UnknownUse("ctr")
    return said(_plugins(machine))


def _images(machine: Machine, namespace: str, args: list[str]) -> Reply:
    if args == ["ls", "-q"]:
        names = machine.containerd.names() if namespace == "k8s.io" else []
        return said("".join(f"{name}\n" for name in names))
    if args[:1] != ["import"] or len(args) != 2 or namespace != "k8s.io":
        raise UnknownUse("ctr images")
    return _import(machine, args[1])


def _tasks(machine: Machine, namespace: str, args: list[str]) -> Reply:
    running = [box for box in _boxes(machine, namespace) if box.running]
    match args:
        case ["ls", "-q"]:
            return said("".join(f"{box.id}\n" for box in running))
        case ["ls"]:
            return said("TASK    PID    STATUS\n" + "".join(f"{box.id}    {box.pid}    RUNNING\n" for box in running))
        case ["kill", "-s", "SIGKILL" | "SIGTERM", name]:
            return _end(machine, namespace, name)
        case ["rm", "-f", name]:
            ended = _end(machine, namespace, name)
            return (
                ended if ended.rc else Reply(0, b"", _log("warning", f"task {name} exit with non-zero exit code 137"))
            )
    raise UnknownUse("ctr tasks")


def _boxes(machine: Machine, namespace: str) -> list[Box]:
    if namespace == "moby":  # a Docker with a containerd of its own is not seen here
        own = machine.docker_package == "docker-engine"
        return [] if own else [box for box in machine.docker.boxes.values() if box.running]
    return list(machine.containerd.boxes.values()) if namespace == "k8s.io" else []


def _container(machine: Machine, name: str) -> Reply:
    box = machine.containerd.boxes.get(name)
    if box is None:
        return failed(f'ctr: container "{name}" in namespace "k8s.io": not found')
    kind = {"io.cri-containerd.kind": "sandbox" if box.sandbox else "container"}
    return said(json.dumps({"ID": box.id, "Labels": {**box.labels, **kind}, "Image": box.asked}) + "\n")


def _import(machine: Machine, path: str) -> Reply:
    text = machine.fs.text(path)
    if text is None:
        return failed(f"ctr: open {path}: no such file or directory")
    try:
        found = json.loads(text)
    except ValueError:
        return failed(f"ctr: unrecognized image format: {path}")
    for identity, tags, size in found:
        machine.containerd.add_image(Image(identity, tuple(tags), size))
    return said("".join(f"unpacking {tags[0]} ({identity})...done\n" for identity, tags, _size in found))


def _plugins(machine: Machine) -> str:
    rows = [
        ("io.containerd.content.v1", "content", "-"),
        ("io.containerd.snapshotter.v1", "overlayfs", "linux/amd64"),
        ("io.containerd.grpc.v1", "images", "-"),
        ("io.containerd.grpc.v1", "tasks", "-"),
    ]
    if machine.containerd.loaded.cri:
        rows.append(("io.containerd.grpc.v1", "cri", "linux/amd64"))
    lines = [("TYPE", "ID", "PLATFORMS", "STATUS"), *((*row, "ok") for row in rows)]
    return "".join(f"{a:32}{b:26}{c:15}{d}\n" for a, b, c, d in lines)


def _end(machine: Machine, namespace: str, name: str) -> Reply:
    """The CRI takes the task of a container that has ended away, so that there is none to be killed or removed."""
    box = _box(machine, namespace, name)
    if box is None or not box.running:
        return failed(f"ctr: no running task found: task {name} not found: not found")
    machine.containerd.stop_box(box, 137)
    return Reply()


def _remove(machine: Machine, namespace: str, names: list[str]) -> Reply:
    """One whose task runs is refused. (The CRI itself forgets a removed one at its restart only; here at once.)"""
    for name in names:
        box = _box(machine, namespace, name)
        if box is None:
            return failed(f'ctr: container "{name}" in namespace "{namespace}": not found')
        if box.running:
            zero = "{running 0 0001-01-01 00:00:00 +0000 UTC}"
            return failed(f"ctr: cannot delete a non stopped container: {zero}")
        machine.containerd.remove(box)
    return Reply()


def _box(machine: Machine, namespace: str, name: str) -> Box | None:
    if namespace != "k8s.io":
        raise UnknownUse(f"ctr -n {namespace}")
    return machine.containerd.boxes.get(name)


def _log(level: str, text: str) -> str:
    return f'time="2026-11-23T18:00:00Z" level={level} msg="{text}"\n'
