"""Keep up in the kernel what Docker used to hold up: modules, forwarding, bridge netfilter."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from cri_switch.node.action import Do, Part, Put, read
from cri_switch.node.command import sudo
from cri_switch.node.facts.network import FILESYSTEMS, sysctl_values
from cri_switch.node.files import file_fact
from cri_switch.node.originals import keep_original
from cri_switch.render.sysctl import MODULES, MODULES_CONF, SYSCTL_CONF, SYSCTLS, modules_conf, sysctl_conf

BRIDGE_KEY = "net.bridge.bridge-nf-call-iptables"


def hold_up(migration_id: str) -> Generator[Part, Any, list[str]]:
    """The files for the next boot, and the same at once; answers what was done.

    A module that the kernel has already, loaded or built in, is not asked for: in a container modprobe finds no
    modules and fails.
    """
    done = []
    for path, wanted in ((MODULES_CONF, modules_conf()), (SYSCTL_CONF, sysctl_conf())):
        file = yield from read(file_fact(path))
        if file.text != wanted:
            yield from keep_original(migration_id, path)
            yield Put(path, wanted.encode(), "keep what Docker held up over a reboot", expect=file.sha256)
            done.append(path)
    values = yield from read(sysctl_values(tuple(SYSCTLS)))
    there = {"overlay": "overlay" in (yield from read(FILESYSTEMS)), "br_netfilter": BRIDGE_KEY in values}
    if missing := [module for module in MODULES if not there[module]]:
        yield Do(sudo("modprobe", "-a", *missing), "load what containerd and the pod network need")
        done.append(f"modules {', '.join(missing)}")
    if any(values.get(key) != value for key, value in SYSCTLS.items()):
        yield Do(sudo("sysctl", "-p", SYSCTL_CONF), "set what Docker held up at once")
        done.append("sysctls")
    return done
