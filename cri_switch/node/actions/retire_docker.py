"""Switch dockerd off for good, and take away what it keeps in the kernel."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from cri_switch.model.migration import Migration
from cri_switch.node.action import Action, Do, Part, Until, read
from cri_switch.node.command import sudo
from cri_switch.node.docker_empty import docker_is_empty
from cri_switch.node.facts.network import IP6TABLES, IPTABLES, LINKS, MOUNT_POINTS
from cri_switch.node.facts.units import Unit, units
from cri_switch.render.docker_iptables import docker_bridges, docker_rules

SERVICE, SOCKET = "docker.service", "docker.socket"
NETNS = "/run/docker/netns/default"
RETIRED = "dockerd was off and masked already"


def retire_docker(migration: Migration) -> Action:  # noqa: ARG001 (steps have one signature)
    """Stop docker.socket, then docker.service, mask both, and remove Docker's own chains, bridges and mounts.

    It runs nothing by then, which is proven first. An enabled socket would bring dockerd back at the first question of
    cAdvisor's. The units stay enabled under the mask, so that the way back is to unmask and to start them.
    """
    found = yield from read(units(SERVICE, SOCKET))
    done = []
    if found[SERVICE].active:
        yield from docker_is_empty(dockerd=True)
    up = [unit for unit in (SOCKET, SERVICE) if found[unit].active]
    for unit in up:
        yield Do(sudo("systemctl", "stop", unit, timeout=120), f"stop {unit}")
    masks = [unit for unit in (SOCKET, SERVICE) if _needs_mask(found[unit])]
    if masks:
        yield Do(sudo("systemctl", "mask", *masks), "mask Docker's units")
    if up or masks:
        done.append("dockerd stopped and masked")
        yield Until(
            units(SERVICE, SOCKET),
            lambda now: not any(now[unit].active for unit in (SERVICE, SOCKET)),
            "dockerd stopped",
            seconds=30,
            next_step=f"on the node: systemctl status {SERVICE} {SOCKET}",
        )
    yield from docker_is_empty(dockerd=False)
    done += yield from _clean_kernel()
    return ", ".join(done) or RETIRED


def _needs_mask(unit: Unit) -> bool:
    """Not one that systemd made of /etc/init.d/docker, which a removed docker.io leaves behind."""
    return unit.exists and not unit.masked and unit.unit_file_state != "generated"


def _clean_kernel() -> Generator[Part, Any, list[str]]:
    """Docker's links, rules and mount, in an order that a run which is cut short anywhere can go on from.

    The links first: only Docker's chains name them. Then the policy of FORWARD, which Docker set to DROP and which
    becomes the kernel's own ACCEPT, as after a reboot: once Docker's chains are gone nobody can tell whose DROP it is.
    """
    done = []
    saved = {"iptables": (yield from read(IPTABLES)), "ip6tables": (yield from read(IP6TABLES))}
    links = yield from read(LINKS)
    for bridge in docker_bridges("".join(saved.values())):
        if bridge in links:
            yield Do(sudo("ip", "link", "delete", bridge), f"remove Docker's bridge {bridge}")
            done.append(f"{bridge} removed")
    for program, text in saved.items():
        rules = docker_rules(text)
        if rules.forward_drop:
            yield Do(sudo(program, "-w", "10", "-P", "FORWARD", "ACCEPT"), "undo Docker's FORWARD policy")
        for argv in rules.removals:
            yield Do(sudo(program, "-w", "10", *argv), "remove a rule of Docker's")
        if rules.lines:
            done.append(f"{len(rules.lines)} {program} lines of Docker's removed")
        if rules.kept:
            done.append(f"kept in DOCKER-USER, an administrator's: {'; '.join(rules.kept)}")
    if NETNS in (yield from read(MOUNT_POINTS)):
        yield Do(sudo("umount", NETNS), "unmount Docker's network namespace")
    return done
