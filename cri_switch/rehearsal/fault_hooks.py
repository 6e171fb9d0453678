"""How faults are put into a simulated cluster: each answers the hook that a node's commands meet."""

from __future__ import annotations

from collections.abc import Callable

from cri_switch.rehearsal.api_faults import ApiFault
from cri_switch.rehearsal.node_fault import Hook, NodeFault, on_command
from cri_switch.rehearsal.world import World

FAILS = NodeFault(1, "Job for containerd.service failed because the control process exited with error code.")
STOPS_KUBELET = r"^systemctl stop kubelet\.service"
_A_WHILE = 20.0


def nothing(_argv: tuple[str, ...]) -> NodeFault | None:
    """No command is met."""
    return None


def command(pattern: str, fault: NodeFault, times: int = 1) -> Callable[[World, str], Hook]:
    """The first commands that fit meet it."""
    return lambda _world, _node: on_command(pattern, fault, times=times)


def full_disk(world: World, node: str) -> Hook:
    """Too little is free, always."""
    machine = world.machines[node]
    machine.disk_free = 64 << 20
    return nothing


def disk_fills(world: World, node: str) -> Hook:
    """Something fills the disk when the node is taken out, and is removed later."""
    machine, for_a_while = world.machines[node], _while_out(world)

    def hook(argv: tuple[str, ...]) -> NodeFault | None:
        full = for_a_while(argv)
        if full is (machine.fs.room is None):  # what is deleted meanwhile is room again
            machine.fs.room = 0 if full else None
        return None

    return hook


def away_while_out(world: World, _node: str) -> Hook:
    """Every connection is cut for a while when the node is taken out."""
    for_a_while = _while_out(world)
    return lambda argv: NodeFault(drop=True) if for_a_while(argv) else None


def _while_out(world: World) -> Callable[[tuple[str, ...]], bool]:
    """Whether a command comes in the first seconds after the kubelet was first stopped."""
    begins, until = on_command(STOPS_KUBELET, NodeFault()), 0.0

    def within(argv: tuple[str, ...]) -> bool:
        nonlocal until
        if begins(argv):
            until = world.clock.now() + _A_WHILE
        return world.clock.now() < until

    return within


def slow_packages(world: World, node: str) -> Hook:
    """The package manager takes its time."""
    world.machines[node].package_seconds = 30.0
    return nothing


def never_ready(world: World, node: str) -> Hook:
    """The kubelet runs on containerd, and reports that it is not well."""
    world.machines[node].kubelet.ails_on_cri = "PLEG is not healthy: pleg has yet to be successful"
    return nothing


def kubelet(world: World, node: str) -> Hook:
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


def runtime(world: World, node: str) -> Hook:
    """containerd does not start with any other configuration than it had."""
    machine, path = world.machines[node], "/etc/containerd/config.toml"
    before = machine.fs.text(path)

    def hook(argv: tuple[str, ...]) -> NodeFault | None:
        starts = argv[0] == "systemctl" and argv[1] in ("start", "restart") and "containerd.service" in argv
        return FAILS if starts and machine.fs.text(path) != before else None

    return hook


def calls(fault: Callable[[World], ApiFault]) -> Callable[[World, str], Hook]:
    """A fault of the API."""

    def begin(world: World, _node: str) -> Hook:
        world.api.fault = fault(world)
        return nothing

    return begin


def budget(world: World, _node: str) -> Hook:
    """No budget allows a disruption."""

    def never(budget: dict[str, object]) -> None:
        budget["spec"] = {**budget["spec"], "minAvailable": "100%"}  # type: ignore[dict-item]

    with world.store.acting("administrator"):
        for budget in world.store.list("PodDisruptionBudget"):
            world.store.change(
                "PodDisruptionBudget", budget["metadata"]["name"], budget["metadata"]["namespace"], never
            )
    return nothing
