"""Ready is not proof (DESIGN rule 5): what must hold before a node serves again."""

from __future__ import annotations

from typing import Any

from prefect import get_run_logger

from cri_switch.cluster.annotate import annotate_cri_socket
from cri_switch.cluster.node_pods import wait_node_pods
from cri_switch.cluster.probe import probe_pod
from cri_switch.model.attempt import Attempt
from cri_switch.model.errors import NotProven
from cri_switch.model.migration import Migration
from cri_switch.model.node_ref import NodeRef
from cri_switch.model.step_result import StepResult
from cri_switch.node.actions.release_addresses import release_addresses
from cri_switch.node.command import plain
from cri_switch.node.facts.control_plane import prove_control_plane
from cri_switch.node.facts.kubelet import PAUSE_IMAGE
from cri_switch.node.proof import prove_runtime
from tasks import reach, stop
from tasks.followed import followed
from tasks.reported import reported
from tasks.step import DRY, Outcome, step


@step
def verify_node(
    attempt: Attempt, migration: Migration, neighbours: list[NodeRef], before: StepResult, started: StepResult
) -> Outcome:
    """Runtime reported with a fresh heartbeat, own pods on it, cgroups right, a probe pod answers from two nodes."""
    if migration.spec.dry_run:
        return Outcome(DRY)
    api, spec, node = reach.cluster(migration), migration.spec, attempt.node
    said: list[str] = []
    with followed(node, migration):
        seen = reported(node, migration, runtime=spec.target.runtime, started=started.data["kubelet_started"])
        changed = annotate_cri_socket(api, node, spec.target.endpoint)
        pods = wait_node_pods(
            api,
            node,
            runtime=spec.target.runtime,
            expected=[pod for pod in before.data["own_pods"] if not _held(pod, migration)],
            seconds=spec.timeouts.pods_ready,
            stop=stop.stopping,
            sleep=stop.sleep,
        )
        said += [f"reports {seen}", pods]
        if node.role == "control-plane":
            said.append(
                prove_control_plane(
                    reach.node(node, migration), spec.target.endpoint, seconds=spec.timeouts.api, sleep=stop.sleep
                )
            )
    said.append(reach.act(node, migration, release_addresses(migration)).summary)
    said.append(_probed(attempt, migration, neighbours))
    return Outcome("; ".join(said), changed=int(changed))


def _held(pod: dict[str, Any], migration: Migration) -> bool:
    """Whether it is one that release_daemonsets waits for."""
    return pod["kind"] == "DaemonSet" and f"{pod['namespace']}/{pod['name']}" in migration.spec.hold_daemonsets


def _probed(attempt: Attempt, migration: Migration, neighbours: list[NodeRef]) -> str:
    """The node's runtime is proven while a probe pod runs there, so that at least one container can be judged."""
    here = reach.node(attempt.node, migration)
    with probe_pod(
        reach.cluster(migration),
        attempt.node,
        migration.spec.verify_image or PAUSE_IMAGE.read(here),
        seconds=migration.spec.timeouts.pods_ready,
        stop=stop.stopping,
        sleep=stop.sleep,
    ) as probe:
        if probe.refused:
            get_run_logger().warning("node=%s [WARNING ProbeRefused]: %s", attempt.node.name, probe.refused)
            answers = f"probe pod refused by admission ({probe.refused}): pod network not proven"
        else:
            answers = _answers(probe.ip, attempt.node, [attempt.node, *neighbours], migration)
        return f"{prove_runtime(here, migration.spec.target.endpoint, sleep=stop.sleep)}; {answers}"


def _answers(address: str, node: NodeRef, sides: list[NodeRef], migration: Migration) -> str:
    """The probe pod's address answers a ping from every side."""
    ping = plain("ping", "-c", "1", "-W", "2", address, ok=(0, 1, 2))
    for side in sides:
        for _ in range(10):
            answer = reach.node(side, migration).run(ping)
            if answer.rc == 0:
                break
            stop.sleep(1)
        else:
            raise NotProven(
                f"{node.name}: the probe pod's address {address} does not answer a ping from {side.name}",
                state="the node is Ready on the new runtime, still cordoned",
                next_step=f"look at the pod network: ssh {node.name} ip route; ls /etc/cni/net.d",
            )
    return f"probe pod {address} answers " + " and ".join(side.name for side in sides)
