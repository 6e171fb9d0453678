"""What a migration that has arrived must not leave."""

from __future__ import annotations

from cri_switch.rehearsal.world import World


def leftovers(world: World) -> list[str]:
    """A line for each thing of ours: marks, labels and taints of nodes, units on them, pods."""
    lines = [f"the pod {pod['metadata']['name']} is left" for pod in world.store.list("Pod", "cri-switch")]
    for name, machine in world.machines.items():
        node = world.store.get("Node", name)
        assert node is not None
        lines += [f"{name} is tainted" for taint in node["spec"].get("taints") or [] if "cri-switch" in taint["key"]]
        for part in ("annotations", "labels"):
            marks = [key for key in node["metadata"].get(part) or {} if "cri-switch" in key]
            lines += [f"{name} has {key} in its {part}" for key in marks]
        units = machine.systemd
        ours = [unit for unit in units.states if "cri-switch" in unit and units.exists(unit)]  # not only asked after
        lines += [f"{name}: the unit {unit} is left" for unit in ours]
    return lines
