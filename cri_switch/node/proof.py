"""The node's side of the proof that its pods run on the new runtime, and that nothing of Docker's is left."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from cri_switch.model.deadline import Deadline
from cri_switch.model.errors import NotProven
from cri_switch.node.command import Result, sudo
from cri_switch.node.connection import Connection
from cri_switch.node.fact import Fact
from cri_switch.node.facts.cni import RESERVATIONS
from cri_switch.node.facts.cri import ENDPOINT, CriContainer, cri_container_pid, cri_containers, cri_sandboxes
from cri_switch.node.facts.ctr import containerd_tasks
from cri_switch.node.facts.docker import DOCKER_SHIMS
from cri_switch.node.facts.network import IPTABLES
from cri_switch.node.facts.programs import has_program
from cri_switch.render.cni_iptables import stale_rules

_KUBEPODS = ("kubepods", "kubepods.slice")


@dataclass(frozen=True)
class RuntimeProof:
    """What was seen on the node; `problems` say what does not hold, one line each, none when it is proven.

    `pods` run on the new runtime (namespace/name), `leaked` are addresses that no sandbox of it owns.
    """

    pods: tuple[str, ...]
    problems: tuple[str, ...] = ()
    leaked: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether nothing is amiss."""
        return not self.problems


def prove_runtime(
    connection: Connection,
    endpoint: str = ENDPOINT,
    *,
    seconds: float = 30,
    sleep: Callable[[float], None] = time.sleep,
) -> str:
    """Ask until all holds, at most `seconds`; answers one line.

    Raises:
        NotProven: something does not hold; all that was amiss at the last look is in the error.
    """
    deadline = Deadline.after(seconds)
    while True:
        proof = runtime_proof(connection, endpoint)
        if proof.holds:
            return f"{len(proof.pods)} pods run on {endpoint}, under kubepods; nothing of Docker's is left"
        if deadline.expired:
            raise NotProven(
                f"{connection.node}: {'; '.join(proof.problems)}",
                state=f"{len(proof.pods)} pods run on {endpoint}",
                next_step="on the node: sudo crictl pods; sudo crictl ps -a; sudo docker ps -a",
            )
        sleep(min(2.0, deadline.remaining))


def runtime_proof(connection: Connection, endpoint: str = ENDPOINT) -> RuntimeProof:
    """Ask the runtime and the kernel. Where no container runs nothing is proven: a probe pod must be there.

    A sandbox that is being made just now may show as leaked for a moment: ask again before believing it.
    """
    rules = IPTABLES.read(connection)
    held = RESERVATIONS.read(connection)
    containers = _running(connection, endpoint)
    sandboxes = cri_sandboxes(endpoint).read(connection)
    ready = {f"{one.namespace}/{one.name}" for one in sandboxes if one.ready}
    pods = tuple(sorted(ready & {one.pod for one in containers}))
    problems = _cgroup_problems(connection, endpoint, containers)
    if shims := DOCKER_SHIMS.read(connection):
        problems.append(f"{len(shims)} containers of Docker's run: {shims[0]:.200}")
    if has_program("ctr").read(connection) and (tasks := containerd_tasks("moby").read(connection)):
        problems.append(f"{len(tasks)} tasks of Docker's run in containerd: {', '.join(tasks)[:200]}")
    live = {one.id for one in sandboxes}
    leaked = tuple(one.address for one in held if one.container_id not in live)
    problems += [f"address {address} is held for a sandbox that is gone" for address in leaked]
    problems += [
        f"iptables chain {chain} still has a rule of sandbox {owner:.12}, which is gone"  # new hostPorts would be dead
        for chain, owner in dict.fromkeys(stale_rules(rules, live).found)
    ]
    return RuntimeProof(pods, tuple(problems), leaked)


def _running(connection: Connection, endpoint: str) -> list[CriContainer]:
    return [one for one in cri_containers(endpoint).read(connection) if one.state == "CONTAINER_RUNNING"]


def _cgroup_problems(connection: Connection, endpoint: str, containers: Sequence[CriContainer]) -> list[str]:
    """A line for each container that is not under kubepods, or that runs on without its cgroup having been seen."""
    if not containers:
        return [f"no container runs on {endpoint}: the cgroup driver is not proven"]
    problems, unseen = [], []
    for one in containers:
        pid = cri_container_pid(endpoint, one.id).read(connection)
        paths = cgroups(pid).read(connection) if pid else ()
        if not paths:
            unseen.append(one)
        elif not under_kubepods(paths):
            problems.append(f"container {one.name} of {one.pod} is not under kubepods: its cgroup is {paths[0]}")
    still = {one.id for one in _running(connection, endpoint)} if unseen else set()
    lost = [one for one in unseen if one.id in still or len(unseen) == len(containers)]
    return problems + [f"container {one.name} of {one.pod}: its cgroup could not be seen" for one in lost]


def cgroups(pid: int) -> Fact[tuple[str, ...]]:
    """The cgroup paths of a process that limits are set by: memory and cpu of v1, else v2's; none when it has gone."""

    def parse(result: Result) -> tuple[str, ...]:
        lines = [line.split(":", 2) for line in result.stdout.splitlines() if line.count(":") >= 2]
        old = [path for _number, names, path in lines if {"memory", "cpu"} & set(names.split(","))]
        return tuple(old or [path for number, names, path in lines if (number, names) == ("0", "")])

    return Fact(f"cgroups of {pid}", sudo("cat", f"/proc/{pid}/cgroup", ok=(0, 1)), parse)


def under_kubepods(paths: Iterable[str]) -> bool:
    """Whether all lie below kubepods; a wrong driver leaves `/system.slice/containerd.service/kubepods-...:id`."""
    return all(any(part in _KUBEPODS for part in path.split("/")) and ".service/" not in path for path in paths)
