"""ip, iptables, umount, modprobe, sysctl, curl, ping: network and kernel."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from cri_switch.rehearsal.api_state import ApiState, state_of
from cri_switch.rehearsal.docker_clients import SOCKET, clients
from cri_switch.rehearsal.firewall import Firewall
from cri_switch.rehearsal.reply import Call, Reply, UnknownUse, after, failed, said

if TYPE_CHECKING:
    from cri_switch.rehearsal.machine import Machine

METADATA = "http://169.254.169.254/"


def ip(call: Call) -> Reply:
    """`ip -j link show type bridge`, `ip link delete NAME`."""
    links = call.machine.kernel.links
    match call.args:
        case ["-j", "link", "show", "type", "bridge"]:
            found = sorted(name for name in links if name.startswith(("docker", "br-", "cni")))
            return said(json.dumps([{"ifname": name} for name in found]) + "\n")
        case ["link", "delete", name]:
            if name not in links:
                return failed(f'Cannot find device "{name}"')
            links.remove(name)
            return Reply()
        case _:
            raise UnknownUse("ip")


def iptables_save(call: Call) -> Reply:
    """`iptables-save`."""
    return said(call.machine.firewall.save())


def ip6tables_save(call: Call) -> Reply:
    """`ip6tables-save`: nothing while the kernel has none of its tables."""
    return said(call.machine.firewall6.save())


def iptables(call: Call) -> Reply:
    """`iptables [-w 10] [-t TABLE] VERB CHAIN ...`."""
    return _change(call.machine.firewall, call.args)


def ip6tables(call: Call) -> Reply:
    """`ip6tables ...`."""
    return _change(call.machine.firewall6, call.args)


def _change(firewall: Firewall, args: list[str]) -> Reply:
    words = args[2:] if args[:1] == ["-w"] else args
    try:
        refused = firewall.change(words)
    except ValueError as problem:
        raise UnknownUse(str(problem)) from problem
    return failed(refused) if refused else Reply()


def umount(call: Call) -> Reply:
    """`umount PATH`."""
    (path,) = call.args
    if path not in call.machine.kernel.mounts:
        there = call.machine.fs.exists(path)
        return failed(f"umount: {path}: {'not mounted' if there else 'no mount point specified'}.", 32)
    call.machine.kernel.mounts.remove(path)
    return Reply()


def modprobe(call: Call) -> Reply:
    """`modprobe -a overlay br_netfilter`."""
    for name in after(call.args, "-a"):
        if name == "br_netfilter":
            call.machine.kernel.load_bridge_netfilter()
        elif name == "overlay":
            call.machine.kernel.filesystems.add(name)
        else:
            return failed(f"modprobe: FATAL: Module {name} not found.")
    return Reply()


def sysctl(call: Call) -> Reply:
    """`sysctl -p FILE`, `sysctl -w NAME=VALUE...`."""
    if call.args[:1] == ["-w"]:
        call.machine.kernel.set_all("\n".join(call.args[1:]))
        return said("".join(f"{word.replace('=', ' = ')}\n" for word in call.args[1:]))
    (path,) = after(call.args, "-p")
    text = call.machine.fs.text(path)
    if text is None:
        return failed(f'sysctl: cannot open "{path}": No such file or directory', 255)
    call.machine.kernel.set_all(text)
    return said("".join(f"{line}\n" for line in text.splitlines() if "=" in line and line[0] != "#"))


def curl(call: Call) -> Reply:
    """The metadata address, and the node's own /readyz."""
    machine, url = call.machine, call.args[-1]
    if url == METADATA:
        return Reply(28) if machine.metadata_blackholed else Reply(7)
    if not url.endswith("/readyz"):
        raise UnknownUse(f"curl {url}")
    state = state_of(machine)
    code = {ApiState.AWAY: "000", ApiState.FORBIDS: "403", ApiState.SERVES: "200"}.get(state, "500")
    return said(code, 7 if state is ApiState.AWAY else 0)


def ping(call: Call) -> Reply:
    """`ping -c 1 -W 2 ADDRESS`: of a node, or of a pod that runs on one."""
    (address,) = after(call.args, "-c", "1", "-W", "2")
    for machine in call.machine.world.machines.values():
        if not machine.up:
            continue
        if machine.address == address or (machine.network.holds(address) and _answers(machine, address)):
            return said(f"64 bytes from {address}: icmp_seq=1 ttl=64 time=0.05 ms\n")
    return said(f"From {call.machine.address} icmp_seq=1 Destination Host Unreachable\n", 1)


def _answers(machine: Machine, address: str) -> bool:
    boxes = [*machine.docker.boxes.values(), *machine.containerd.boxes.values()]
    return any(box.ip == address and box.running and box.sandbox for box in boxes)


def ss(call: Call) -> Reply:
    """`ss -x -n`: the connections to Docker's socket, dockerd's end of each."""
    after(call.args, "-x", "-n")
    lines = ["Netid State Recv-Q Send-Q Local Address:Port Peer Address:Port Process"]
    lines += [f"u_str ESTAB 0 0 {SOCKET} {own} * {peer}" for _pid, peer, own in clients(call.machine)]
    return said("\n".join(lines) + "\n")
