"""Faults by name, for `--fault NAME` and the tests: what goes wrong, where and how often."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cri_switch.rehearsal.api_faults import (
    ApiFault,
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
from cri_switch.rehearsal.node_fault import NodeFault, on_command
from cri_switch.rehearsal.world import World

Hook = Callable[[tuple[str, ...]], NodeFault | None]
_STOPS_KUBELET = r"^systemctl stop kubelet\.service"
_A_WHILE = 20.0


@dataclass(frozen=True)
class Fault:
    """`begin` puts it into a world; `node` is where (no matter for the API's). `mends`: a second run goes through.

    `installs`: it meets only a node where containerd is yet to be installed.
    """

    text: str
    begin: Callable[[World, str], Hook]
    mends: bool = True
    installs: bool = False


def _nothing(_argv: tuple[str, ...]) -> NodeFault | None:
    return None


def _command(pattern: str, fault: NodeFault, times: int = 1) -> Callable[[World, str], Hook]:
    return lambda _world, _node: on_command(pattern, fault, times=times)


def _full_disk(world: World, node: str) -> Hook:
    machine = world.machines[node]
    machine.disk_free = 64 << 20
    return _nothing


def _disk_fills(world: World, node: str) -> Hook:
    """Something fills the disk when the node is taken out, and is removed later."""
    machine, for_a_while = world.machines[node], _while_out(world)

    def hook(argv: tuple[str, ...]) -> NodeFault | None:
        full = for_a_while(argv)
        if full is (machine.fs.room is None):  # what is deleted meanwhile is room again
            machine.fs.room = 0 if full else None
        return None

    return hook


def _away_while_out(world: World, _node: str) -> Hook:
    for_a_while = _while_out(world)
    return lambda argv: NodeFault(drop=True) if for_a_while(argv) else None


def _while_out(world: World) -> Callable[[tuple[str, ...]], bool]:
    """Whether a command comes in the first seconds after the kubelet was first stopped."""
    begins, until = on_command(_STOPS_KUBELET, NodeFault()), 0.0

    def within(argv: tuple[str, ...]) -> bool:
        nonlocal until
        if begins(argv):
            until = world.clock.now() + _A_WHILE
        return world.clock.now() < until

    return within


def _slow_packages(world: World, node: str) -> Hook:
    world.machines[node].package_seconds = 30.0
    return _nothing


def _never_ready(world: World, node: str) -> Hook:
    world.machines[node].kubelet.ails_on_cri = "PLEG is not healthy: pleg has yet to be successful"
    return _nothing


def _kubelet(world: World, node: str) -> Hook:
    """The kubelet ends at once, however often it is started on containerd."""
    machine = world.machines[node]

    def hook(argv: tuple[str, ...]) -> NodeFault | None:
        if argv[:2] == ("systemctl", "start") and "kubelet.service" in argv:
            remote = machine.fs.text("/var/lib/kubelet/kubeadm-flags.env") or ""
            if "containerd" in remote:
                return NodeFault(
                    1, "Job for kubelet.service failed because the control process exited with error code."
                )
        return None

    return hook


def _runtime(world: World, node: str) -> Hook:
    """containerd does not start with any other configuration than it had."""
    machine, path = world.machines[node], "/etc/containerd/config.toml"
    before = machine.fs.text(path)

    def hook(argv: tuple[str, ...]) -> NodeFault | None:
        starts = argv[0] == "systemctl" and argv[1] in ("start", "restart") and "containerd.service" in argv
        return _FAILS if starts and machine.fs.text(path) != before else None

    return hook


def _calls(fault: Callable[[World], ApiFault]) -> Callable[[World, str], Hook]:
    """A fault of the API."""

    def begin(world: World, _node: str) -> Hook:
        world.api.fault = fault(world)
        return _nothing

    return begin


def _budget(world: World, _node: str) -> Hook:
    def never(budget: dict[str, object]) -> None:
        budget["spec"] = {**budget["spec"], "minAvailable": "100%"}  # type: ignore[dict-item]

    with world.store.acting("administrator"):
        for budget in world.store.list("PodDisruptionBudget"):
            world.store.change(
                "PodDisruptionBudget", budget["metadata"]["name"], budget["metadata"]["namespace"], never
            )
    return _nothing


_FAILS = NodeFault(1, "Job for containerd.service failed because the control process exited with error code.")
FAULTS: Mapping[str, Fault] = {
    "runtime-fails-once": Fault(
        "containerd does not start on one node, once", _command(r"systemctl (re)?start containerd\.service", _FAILS)
    ),
    "runtime-fails": Fault("containerd never starts on one node with its new configuration", _runtime, mends=False),
    "kubelet-fails": Fault("the kubelet of one node never starts on containerd", _kubelet, mends=False),
    "never-ready": Fault("the kubelet of one node runs on containerd and never turns Ready", _never_ready, mends=False),
    "command-hangs": Fault(
        "a command does its work and gives no answer within its time on one node, once",
        _command(r"^systemctl mask docker", NodeFault(hang=3600.0, after=True)),
    ),
    "connection-cut": Fault(
        "the connection to one node is cut before a command did its work, once",
        _command(_STOPS_KUBELET, NodeFault(drop=True)),
    ),
    "connection-cut-after": Fault(
        "the connection to one node is cut after a command did its work, once",
        _command(r"systemctl start kubelet\.service", NodeFault(drop=True, after=True)),
    ),
    "reboot": Fault("one node reboots in the middle, once", _command(r"systemctl mask docker", NodeFault(reboot=True))),
    "disk-full": Fault("the disk of one node is full", _full_disk, mends=False),
    "disk-fills": Fault("the disk of one node is full for a while when it is out", _disk_fills),
    "package-fails": Fault(
        "a package does not install on one node, once",
        _command(
            r"^apt-get (?!-s )(?!.*--download-only).* install ",
            NodeFault(100, "E: Sub-process /usr/bin/dpkg returned an error code (1)"),
        ),
        installs=True,
    ),
    "packages-slow": Fault("the package manager of one node takes half a minute more", _slow_packages, installs=True),
    "network-cut": Fault(
        "every connection to one node is cut", _command(r"", NodeFault(drop=True), times=1_000_000), mends=False
    ),
    "network-away": Fault("every connection to one node is cut for a while when it is out", _away_while_out),
    "pdb-never": Fault("a PodDisruptionBudget allows no disruption, ever", _budget, mends=False),
    "api-away": Fault(
        "the API cuts every connection for a while, from a node's first eviction on",
        _calls(lambda _world: some(lost, last=10, since=evicts)),
    ),
    "api-errors": Fault(
        "the API answers every seventh question with 500",
        _calls(lambda _world: some(broken, every=7)),
    ),
    "api-errors-while-out": Fault(
        "the API answers changes with 500 for a while, from a node's first eviction on",
        _calls(lambda _world: some(broken_change, last=40, since=evicts)),
    ),
    "api-errors-on-writes": Fault(
        "the API answers every seventh write with 500 for a while, from a node's first eviction on",
        _calls(lambda _world: some(broken_write, every=7, last=100, since=evicts)),
    ),
    "api-throttles": Fault(
        "the API answers every fifth call with 429",
        _calls(lambda _world: some(throttled, every=5)),
    ),
    "api-conflicts": Fault("every third change meets a conflict", _calls(lambda _world: some(conflicts, every=3))),
    "api-slow": Fault("the API takes half a second more for every third call", _calls(slow)),
}
