"""Faults by name, for `--fault NAME` and the tests: what goes wrong, where and how often."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cri_switch.rehearsal.api_reply import Call, Reply, failure
from cri_switch.rehearsal.node_fault import NodeFault, on_command
from cri_switch.rehearsal.world import World

Hook = Callable[[tuple[str, ...]], NodeFault | None]


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


def _budget(world: World, _node: str) -> Hook:
    def never(budget: dict[str, object]) -> None:
        budget["spec"] = {**budget["spec"], "minAvailable": "100%"}  # type: ignore[dict-item]

    with world.store.acting("administrator"):
        for budget in world.store.list("PodDisruptionBudget"):
            world.store.change(
                "PodDisruptionBudget", budget["metadata"]["name"], budget["metadata"]["namespace"], never
            )
    return _nothing


def _api(
    answer: Callable[[Call], Reply | None], *, every: int = 1, first: int = 0, last: int = 1_000_000
) -> Callable[[World, str], Hook]:
    """Every `every`th call after the first `first` and up to the `last` is answered by `answer`."""

    def begin(world: World, _node: str) -> Hook:
        count = itertools.count()

        def fault(call: Call) -> Reply | None:
            number = next(count)
            hit = first <= number < last and number % every == every - 1
            return answer(call) if hit else None

        world.api.fault = fault
        return _nothing

    return begin


def _mutation_conflicts(call: Call) -> Reply | None:
    if call.method != "PATCH":
        return None
    return failure(
        409, "Conflict", "Operation cannot be fulfilled: the object has been modified; please apply your changes"
    )


def _slow(world: World, _node: str) -> Hook:
    inner, count = world.api._answer, itertools.count()

    def fault(call: Call) -> Reply | None:
        if next(count) % 3 != 2:
            return None
        reply = inner(call)
        return Reply(reply.status, reply.body, reply.text, after=0.5)

    world.api.fault = fault
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
        "docker stop gives no answer for a while on one node, once",
        _command(r"^docker stop", NodeFault(hang=2.0, drop=True, after=True)),
    ),
    "connection-cut": Fault(
        "the connection to one node is cut before a command did its work, once",
        _command(r"systemctl stop kubelet\.service", NodeFault(drop=True)),
    ),
    "connection-cut-after": Fault(
        "the connection to one node is cut after a command did its work, once",
        _command(r"systemctl start kubelet\.service", NodeFault(drop=True, after=True)),
    ),
    "reboot": Fault("one node reboots in the middle, once", _command(r"systemctl mask docker", NodeFault(reboot=True))),
    "disk-full": Fault("the disk of one node is full", _full_disk, mends=False),
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
    "pdb-never": Fault("a PodDisruptionBudget allows no disruption, ever", _budget, mends=False),
    "api-away": Fault(
        "the API cuts every connection for a while", _api(lambda _c: Reply(0, lost=True), first=60, last=70)
    ),
    "api-errors": Fault(
        "the API answers every seventh call with 500",
        _api(
            lambda c: failure(500, "InternalError", "etcdserver: request timed out") if c.method == "GET" else None,
            every=7,
        ),
    ),
    "api-throttles": Fault(
        "the API answers every fifth call with 429",
        _api(lambda _c: failure(429, "TooManyRequests", "too many requests, please try again later"), every=5),
    ),
    "api-conflicts": Fault("every third change meets a conflict", _api(_mutation_conflicts, every=3)),
    "api-slow": Fault("the API takes half a second more for every third call", _slow),
}
