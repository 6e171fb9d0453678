"""Faults by name, for `--fault NAME` and the tests: what goes wrong, where and how often."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cri_switch.rehearsal.api_faults import (
    broken,
    broken_change,
    broken_write,
    conflicts,
    evicts,
    lost,
    slow,
    some,
    throttled,
)
from cri_switch.rehearsal.fault_hooks import (
    FAILS,
    STOPS_KUBELET,
    away_while_out,
    budget,
    calls,
    command,
    disk_fills,
    full_disk,
    kubelet,
    never_ready,
    runtime,
    slow_packages,
)
from cri_switch.rehearsal.node_fault import Hook, NodeFault
from cri_switch.rehearsal.world import World


@dataclass(frozen=True)
class Fault:
    """`begin` puts it into a world; `node` is where (no matter for the API's). `mends`: a second run goes through.

    `installs`: it meets only a node where containerd is yet to be installed.
    """

    text: str
    begin: Callable[[World, str], Hook]
    mends: bool = True
    installs: bool = False


FAULTS: Mapping[str, Fault] = {
    "runtime-fails-once": Fault(
        "containerd does not start on one node, once", command(r"systemctl (re)?start containerd\.service", FAILS)
    ),
    "runtime-fails": Fault("containerd never starts on one node with its new configuration", runtime, mends=False),
    "kubelet-fails": Fault("the kubelet of one node never starts on containerd", kubelet, mends=False),
    "never-ready": Fault("the kubelet of one node runs on containerd and never turns Ready", never_ready, mends=False),
    "command-hangs": Fault(
        "a command does its work and gives no answer within its time on one node, once",
        command(r"^systemctl mask docker", NodeFault(hang=3600.0, after=True)),
    ),
    "connection-cut": Fault(
        "the connection to one node is cut before a command did its work, once",
        command(STOPS_KUBELET, NodeFault(drop=True)),
    ),
    "connection-cut-after": Fault(
        "the connection to one node is cut after a command did its work, once",
        command(r"systemctl start kubelet\.service", NodeFault(drop=True, after=True)),
    ),
    "reboot": Fault("one node reboots in the middle, once", command(r"systemctl mask docker", NodeFault(reboot=True))),
    "disk-full": Fault("the disk of one node is full", full_disk, mends=False),
    "disk-fills": Fault("the disk of one node is full for a while when it is out", disk_fills),
    "package-fails": Fault(
        "a package does not install on one node, once",
        command(
            r"^apt-get (?!-s )(?!.*--download-only).* install ",
            NodeFault(100, "E: Sub-process /usr/bin/dpkg returned an error code (1)"),
        ),
        installs=True,
    ),
    "packages-slow": Fault("the package manager of one node takes half a minute more", slow_packages, installs=True),
    "network-cut": Fault(
        "every connection to one node is cut", command(r"", NodeFault(drop=True), times=1_000_000), mends=False
    ),
    "network-away": Fault("every connection to one node is cut for a while when it is out", away_while_out),
    "pdb-never": Fault("a PodDisruptionBudget allows no disruption, ever", budget, mends=False),
    "api-away": Fault(
        "the API cuts every connection for a while, from a node's first eviction on",
        calls(lambda _world: some(lost, last=10, since=evicts)),
    ),
    "api-errors": Fault(
        "the API answers every seventh question with 500",
        calls(lambda _world: some(broken, every=7)),
    ),
    "api-errors-while-out": Fault(
        "the API answers changes with 500 for a while, from a node's first eviction on",
        calls(lambda _world: some(broken_change, last=40, since=evicts)),
    ),
    "api-errors-on-writes": Fault(
        "the API answers every seventh write with 500 for a while, from a node's first eviction on",
        calls(lambda _world: some(broken_write, every=7, last=100, since=evicts)),
    ),
    "api-throttles": Fault(
        "the API answers every fifth call with 429",
        calls(lambda _world: some(throttled, every=5)),
    ),
    "api-conflicts": Fault("every third change meets a conflict", calls(lambda _world: some(conflicts, every=3))),
    "api-slow": Fault("the API takes half a second more for every third call", calls(slow)),
}
