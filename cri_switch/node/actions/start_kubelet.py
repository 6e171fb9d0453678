"""Start the kubelet on the new runtime, after the proof that Docker runs nothing."""

from __future__ import annotations

from cri_switch.model.migration import Migration
from cri_switch.node.action import Action, Do, Until, read
from cri_switch.node.actions.retire_docker import SERVICE, SOCKET
from cri_switch.node.actions.stop_kubelet import KUBELET
from cri_switch.node.command import sudo
from cri_switch.node.docker_empty import docker_is_empty
from cri_switch.node.facts.kubelet import command_line
from cri_switch.node.facts.units import units
from cri_switch.node.files import file_fact
from cri_switch.render.kubelet_flags import flag_value

_NEXT = "on the node: journalctl -u kubelet -n 50"


def start_kubelet(migration: Migration) -> Action:
    """`systemctl start kubelet`; one that runs with older flags (the node was rebooted in between) is restarted.

    Raises:
        NotProven: the flags do not name the target, Docker's units may come back, or Docker runs something still.
    """
    path, endpoint = migration.spec.kubelet.flags_file, migration.spec.target.endpoint
    found = yield from read(units(KUBELET, SERVICE, SOCKET))
    yield Until(
        file_fact(path),
        lambda file: flag_value(file.text or "", "container-runtime-endpoint", path) == endpoint,
        f"{path} naming {endpoint}",
        next_step="run the same again: configure_kubelet writes it",
    )
    kubelet = found[KUBELET]
    if kubelet.active:
        argv = yield from read(command_line(kubelet.main_pid))
        if f"--container-runtime-endpoint={endpoint}" in argv:
            return "kubelet ran on the new runtime already"
    if not migration.spec.dockerd_until_kubelet:
        yield Until(
            units(SERVICE, SOCKET),
            lambda now: all(not unit.active and (unit.masked or not unit.exists) for unit in now.values()),
            "Docker's service and socket stopped and masked",
            next_step=f"on the node: sudo systemctl stop {SOCKET} {SERVICE}; sudo systemctl mask {SOCKET} {SERVICE}",
        )
    yield from docker_is_empty(dockerd=found[SERVICE].active)
    verb = "restart" if kubelet.active else "start"
    yield Do(sudo("systemctl", verb, KUBELET, timeout=120), f"{verb} the kubelet")
    yield Until(units(KUBELET), lambda now: now[KUBELET].active, "kubelet running", seconds=60, next_step=_NEXT)
    return f"kubelet {verb}ed on {endpoint}"
