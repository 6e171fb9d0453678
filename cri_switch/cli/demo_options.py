"""What `cri-switch demo` was asked for, and who plays what in the simulated cluster."""

from __future__ import annotations

from dataclasses import dataclass

from cri_switch.cli import talk
from cri_switch.model.errors import UsageError
from cri_switch.rehearsal.faults import FAULTS
from cri_switch.rehearsal.process import Wish

DEFAULT_FAULT = "runtime-fails-once"
MAX_UNAVAILABLE = "50%"
DRAIN_SECONDS = 60
"""Real ones: somebody waits."""


@dataclass(frozen=True)
class Options:
    """The command line."""

    nodes: int = 11
    control_planes: int = 3
    speed: float = 15.0
    fault: str = DEFAULT_FAULT
    ui: bool = False
    output: talk.Output = "table"

    @property
    def mends(self) -> bool:
        """Whether a second run goes through."""
        return self.fault != "none" and FAULTS[self.fault].mends


def check(options: Options) -> None:
    """Raises UsageError: no such fault, no such cluster."""
    known = ["none", *sorted(FAULTS)]
    if options.fault not in known:
        raise UsageError(
            f"no fault is called {options.fault!r}; known are {', '.join(known)}", next_step="cri-switch demo --help"
        )
    if not 1 <= options.control_planes <= options.nodes:
        raise UsageError(
            f"{options.control_planes} control planes of {options.nodes} nodes: at least one, and no more than all",
            next_step="--nodes counts all nodes: cri-switch demo --nodes 11 --control-planes 3",
        )
    if options.speed <= 0:
        raise UsageError(f"--speed {options.speed:g}: it says how many simulated seconds pass in a real one")


def cast(options: Options) -> tuple[tuple[str, ...], tuple[str, ...], str]:
    """The nodes on containerd already, those that an administrator has cordoned, the one that the fault meets."""
    workers = [f"w{number}" for number in range(1, options.nodes - options.control_planes + 1)]
    migrated = workers[1:2] if len(workers) > 2 else []
    cordoned = workers[4:5] if len(workers) > 4 else []
    failing = workers[3] if len(workers) > 3 else (workers[-1] if workers else "cp1")
    return tuple(migrated), tuple(cordoned), failing


def ready_seconds(speed: float) -> float:
    """Real seconds for a kubelet to be Ready: as many simulated ones as ever, within what somebody waits."""
    return min(300.0, max(30.0, 600.0 / speed))


def wish(options: Options, directory: str) -> Wish:
    """The cluster, and the settings of its migration."""
    migrated, cordoned, failing = cast(options)
    workers = options.nodes - options.control_planes
    return Wish(
        directory=directory,
        nodes=options.nodes,
        control_planes=options.control_planes,
        speed=options.speed,
        migrated=migrated,
        cordoned=cordoned,
        self_contained_docker=(failing,) if options.fault != "none" and FAULTS[options.fault].installs else (),
        replicas=min(4, max(1, workers - len(cordoned))),
        fault="" if options.fault == "none" else options.fault,
        fault_node=failing,
        spec={
            "max_unavailable": MAX_UNAVAILABLE,
            "stage_parallelism": 16,
            "gate": {"checks": 1},
            "drain": {"delete_emptydir_data": True, "timeout": DRAIN_SECONDS},
            "timeouts": {"node_ready": ready_seconds(options.speed)},
        },
    )
