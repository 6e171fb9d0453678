"""CNI plugins, called as libcni calls them: the DEL of bridge, portmap and their like."""

from __future__ import annotations

import json
import posixpath

from cri_switch.rehearsal.reply import Call, Reply, UnknownUse, said

_NEEDED = ("CNI_COMMAND", "CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH")


def plugin(call: Call) -> Reply:
    """`CNI_COMMAND=DEL ... /opt/cni/bin/TYPE` with its configuration on stdin."""
    name, network = posixpath.basename(call.argv[0]), call.machine.network
    if "CNI_COMMAND" not in call.env:
        return said("", 0, f"CNI {name} plugin version unknown\n")
    missing = [one for one in _NEEDED if one not in call.env]
    if missing:
        return said(json.dumps({"code": 4, "msg": f"required env variables [{missing[0]}] missing"}), 1)
    if call.env["CNI_COMMAND"] != "DEL":
        raise UnknownUse(f"{call.argv[0]} {call.env['CNI_COMMAND']}")
    try:
        config = json.loads(call.stdin)
        kind = config["type"]
    except (ValueError, KeyError) as problem:
        return said(json.dumps({"code": 6, "msg": f"failed to load netconf: {problem}"}), 1)
    if kind != name:
        raise UnknownUse(f"{call.argv[0]} with the configuration of {kind}")
    owner = call.env["CNI_CONTAINERID"]
    if name == "portmap":
        network.unmap(owner)
    elif name == "bridge":
        network.release(owner, netns=_lives(call, call.env["CNI_NETNS"]))
    elif name not in ("loopback", "host-local"):
        raise UnknownUse(call.argv[0])
    return Reply()


def _lives(call: Call, netns: str) -> bool:
    """Whether `/proc/PID/ns/net` is of a process that lives."""
    return netns != "" and call.machine.processes.read(netns.replace("/ns/net", "/cmdline")) is not None
