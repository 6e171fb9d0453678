"""The child of process.py."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

from cri_switch.model.settings_file import load_migration
from cri_switch.rehearsal.access import by_sockets, write_kubeconfigs, write_settings
from cri_switch.rehearsal.build import ClusterSpec, build
from cri_switch.rehearsal.clock import Clock
from cri_switch.rehearsal.faults import FAULTS
from cri_switch.rehearsal.http_server import HttpServer
from cri_switch.rehearsal.invariants import Invariants
from cri_switch.rehearsal.machine import Machine
from cri_switch.rehearsal.process import Wish
from cri_switch.rehearsal.promise import Promise
from cri_switch.rehearsal.seen import NodeSeen, Seen
from cri_switch.rehearsal.ssh_login import USER
from cri_switch.rehearsal.sshd import Sshd
from cri_switch.rehearsal.world import World


def main(argv: list[str]) -> int:
    """Make the cluster, say so, answer until stdin ends."""
    logging.getLogger("paramiko").setLevel(logging.CRITICAL)
    wish = Wish.model_validate_json(argv[0])
    directory = Path(wish.directory)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    world = build(
        ClusterSpec(
            nodes=wish.nodes,
            control_planes=wish.control_planes,
            release=wish.release,
            cgroup_driver=wish.cgroup_driver,
            migrated=wish.migrated,
            cordoned=wish.cordoned,
            self_contained_docker=wish.self_contained_docker,
            replicas=wish.replicas,
        ),
        Clock(wish.speed),
    )
    settings = write_settings(directory, "rehearsal", by_sockets(directory, USER), wish.spec)
    invariants = Invariants(world, Promise.of(load_migration(str(settings)).spec, world, wish.migrated))
    for name in world.machines:
        _begin(world, invariants, wish.fault if name == wish.fault_node else "", name)
    server, sshd = HttpServer(world.api), Sshd(world, directory)
    write_kubeconfigs(directory, server.url)
    world.start()
    try:
        _say({"ready": True, "url": server.url, "settings": str(settings)})
        for line in sys.stdin:
            question = json.loads(line)
            if question["ask"] == "fault":
                _begin(world, invariants, question["name"], question["node"])
                _say({"done": True})
            elif question["ask"] == "node":
                _say(_node(world.machines[question["node"]]).model_dump(mode="json"))
            elif question["ask"] == "clean":
                invariants.asked_to_clean()
                _say({"done": True})
            elif question["ask"] == "reboot":
                world.machines[question["node"]].reboot()
                _say({"done": True})
            else:
                _say(_seen(world, invariants).model_dump(mode="json"))
    except KeyboardInterrupt:
        return 130
    finally:
        world.close()
        server.close()
        sshd.close()
    return 0


def _begin(world: World, invariants: Invariants, fault: str, node: str) -> None:
    invariants.watch(node, FAULTS[fault].begin(world, node) if fault else lambda _argv: None)


def _seen(world: World, invariants: Invariants) -> Seen:
    return Seen(
        complaints=world.complaints,
        broken=invariants.broken,
        unfinished=invariants.finished(),
        most_out=invariants.most_out,
        calls=len(world.api.calls),
    )


def _node(machine: Machine) -> NodeSeen:
    home = "/var/lib/cri-switch"
    with machine.lock:
        there = machine.fs.names(home) if machine.fs.exists(home) else []
        text = "".join(machine.fs.text(f"{home}/{name}/journal.jsonl") or "" for name in there)
        return NodeSeen(
            journal=[json.loads(line) for line in text.splitlines() if line],
            jobs={unit: bool(state.ends_at) for unit, state in machine.systemd.states.items() if state.transient},
            installed=sorted(name for name in machine.packages.known if machine.packages.installed(name)),
        )


def _say(value: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
