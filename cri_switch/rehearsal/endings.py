"""How nodes may stand when a run has ended."""

from __future__ import annotations

from collections.abc import Collection

from cri_switch.rehearsal.pods_of import own, ready
from cri_switch.rehearsal.world import World


def endings(world: World, held: Collection[str], disturbed: Collection[str]) -> list[str]:
    """A line for each node that is neither migrated, nor on Docker, nor untouched.

    `held` were cordoned by an administrator before; `disturbed` may be cordoned still, as they failed and wait.
    """
    lines = []
    for name, machine in world.machines.items():
        node = world.store.get("Node", name) or {"spec": {}, "status": {}}
        runtime = ((node.get("status") or {}).get("nodeInfo") or {}).get("containerRuntimeVersion", "nothing")
        if not ready(node):
            lines.append(f"{name} is not Ready (reports {runtime})")
            continue
        other = machine.docker if runtime.startswith("containerd://") else machine.containerd
        left = [box.name for box in other.boxes.values() if box.running and box.pod is not None]
        if left:
            lines.append(f"{name} reports {runtime}, and its other runtime still runs {', '.join(left)}")
        idle = [pod["metadata"]["name"] for pod in own(world.store.peek("Pod"), name) if not ready(pod)]
        if idle:
            lines.append(f"{name} reports {runtime}, and its {', '.join(idle)} are not Ready")
        if (name in held) != bool(node["spec"].get("unschedulable")) and name not in disturbed:
            lines.append(f"{name} is {'not ' if name in held else ''}cordoned, unlike before")
    return lines
