"""docker: its client."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from cri_switch.rehearsal.box import Box
from cri_switch.rehearsal.images import Image
from cri_switch.rehearsal.programs import etcd
from cri_switch.rehearsal.reply import Call, Reply, UnknownUse, after, failed, said

if TYPE_CHECKING:
    from cri_switch.rehearsal.machine import Machine

DOWN = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"
_FIELD = re.compile(r"\{\{(json )?\.([A-Za-z.]+)\}\}")

_PANIC = "panic: reflect: indirection through nil pointer to embedded struct [recovered]"
"""Of `docker info --format` without a daemon (20.10.5), after the template's text as far as its first field."""


def docker(call: Call) -> Reply:
    """`docker ps|inspect|info|stop|rm|start|save|exec|--version`; its socket brings dockerd up."""
    if call.args[:1] == ["--version"]:
        return said(f"Docker version {call.machine.docker_version}, build 55c4c88\n")
    machine = call.machine
    if not machine.docker.up:
        if machine.systemd.active("docker.socket"):
            machine.systemd.start("docker.service")
        if not machine.docker.up:
            return failed(_PANIC, 2, call.args[-1].partition("{{")[0]) if call.args[0] == "info" else failed(DOWN)
    verb, rest = call.args[0], call.args[1:]
    verbs = {"ps": _ps, "inspect": _inspect, "info": _info, "stop": _stop, "rm": _rm, "save": _save, "exec": _exec}
    if verb not in verbs:
        raise UnknownUse(f"docker {verb}")
    return verbs[verb](call, rest)


def _ps(call: Call, args: list[str]) -> Reply:
    every, wanted, words = False, [], iter(args)
    for word in words:
        if word in ("-aq", "-q"):
            every = word == "-aq"
        elif word == "--filter":
            wanted.append(next(words))
        elif word != "--no-trunc":
            raise UnknownUse(f"docker ps {word}")
    found = [box for box in call.machine.docker.boxes.values() if (every or box.running) and _has(box, wanted)]
    return said("".join(f"{box.id}\n" for box in reversed(found)))


def _has(box: Box, filters: list[str]) -> bool:
    for one in filters:
        kind, _, text = one.partition("=")
        if kind != "label":
            raise UnknownUse(f"docker ps --filter {one}")
        name, equals, value = text.partition("=")
        if name not in box.labels or (equals and box.labels[name] != value):
            return False
    return True


def _inspect(call: Call, args: list[str]) -> Reply:
    kind, rest = after(args, "--type")[0], args[2:]
    form, names = after(rest, "--format")[0], rest[2:]
    out, err = "", ""
    for name in names:
        data = _container(call.machine, name) if kind == "container" else _image(call.machine, name)
        if data is None:
            err += f"Error: No such {kind}: {name}\n"
        else:
            out += _formatted(form, data) + "\n"
    return said(out, 1 if err else 0, err)


def _formatted(form: str, data: dict[str, Any]) -> str:
    def value(match: re.Match[str]) -> str:
        found: Any = data
        for key in match[2].split("."):
            if key not in found:
                raise UnknownUse(f"docker --format {match[0]}")
            found = found[key]
        return json.dumps(found) if match[1] else str(found)

    return _FIELD.sub(value, form)


def _container(machine: Machine, name: str) -> dict[str, Any] | None:
    box = machine.docker.boxes.get(name)
    if box is None:
        return None
    return {
        "Id": box.id,
        "Name": f"/{_name(box)}",
        "State": {"Status": box.state, "Pid": box.pid, "ExitCode": box.exit_code},
        "Config": {"Image": box.image.id if box.pod else box.asked, "Labels": box.labels},
        "Image": box.image.id,
        "LogPath": box.log,
    }


def _name(box: Box) -> str:
    if box.pod is None:
        return box.name
    return f"k8s_{box.name}_{box.pod.name}_{box.pod.namespace}_{box.pod.uid}_{box.attempt}"


def _image(machine: Machine, name: str) -> dict[str, Any] | None:
    found = machine.docker.find_image(name)
    if found is None:
        return None
    return {"Id": found.id, "RepoTags": list(found.tags), "RepoDigests": [], "Size": found.size}


def _info(call: Call, args: list[str]) -> Reply:
    (form,) = after(args, "--format")
    data = {
        "CgroupDriver": call.machine.docker.driver,
        "DockerRootDir": call.machine.docker.root,
        "LiveRestoreEnabled": False,
        "Swarm": {"LocalNodeState": "inactive"},
        "ServerVersion": call.machine.docker_version,
    }
    return said(_formatted(form, data) + "\n")


def _each(call: Call, names: list[str], verb: str) -> tuple[list[Box], str]:
    found = [call.machine.docker.boxes[name] for name in names if name in call.machine.docker.boxes]
    missing = [name for name in names if name not in call.machine.docker.boxes]
    return found, "".join(f"Error response from daemon: {verb}No such container: {name}\n" for name in missing)


def _stop(call: Call, args: list[str]) -> Reply:
    _grace, *names = after(args, "-t")
    found, err = _each(call, names, "")
    for box in found:
        call.machine.docker.stop_box(box)
    return said("".join(f"{box.id}\n" for box in found), 1 if err else 0, err)


def _rm(call: Call, args: list[str]) -> Reply:
    found, err = _each(call, args, "")
    gone = ""
    for box in found:
        if box.running:
            err += f"Error response from daemon: You cannot remove a running container {box.id}.\n"
        else:
            call.machine.docker.remove(box)
            gone += f"{box.id}\n"
    return said(gone, 1 if err else 0, err)


def _save(call: Call, args: list[str]) -> Reply:
    path, *names = after(args, "-o")
    found: list[Image] = []
    for name in names:
        image = call.machine.docker.find_image(name)
        if image is None:
            return failed(f"Error response from daemon: reference does not exist: {name}")
        found.append(Image(image.id, (name,), image.size))
    content = json.dumps([[one.id, list(one.tags), one.size] for one in found])
    call.machine.fs.write(path, content, 0o600).size = sum(one.size for one in found)
    return Reply()


def _exec(call: Call, args: list[str]) -> Reply:
    rest = args
    while rest[:1] == ["-e"]:
        rest = rest[2:]
    box = call.machine.docker.boxes.get(rest[0])
    if box is None or not box.running:
        return failed(f"Error: No such container: {rest[0]}")
    return etcd.inside(call, box, rest[1:])
