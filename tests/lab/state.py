"""What a lab recorded about itself, in state.json: `down` and `gc` go by this and by nothing else."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from tests.lab import cgroups, network
from tests.lab.process import Process
from tests.lab.report import LabError
from tests.lab.topology import API_PORT, SERVER, Spec, machine_id

Phase = Literal["starting", "up", "stopping"]
_DEFAULT = "/var/lib/cri-switch-lab"
LEFTOVER = ".half-"  # a directory that is being made or removed begins so


@dataclass
class MachineState:
    """One machine: the wish, and the processes of its last boot (nspawn, and its child, the machine's PID 1)."""

    spec: Spec
    root: Path
    cgroups: list[Path]
    nspawn: Process | None = None
    leader: Process | None = None
    pid_namespace: int | None = None

    @property
    def alive(self) -> bool:
        return self.leader is not None and self.leader.alive


@dataclass
class Lab:
    """One lab, as recorded. Everything is written down before it is made."""

    name: str
    debian: int
    cgroup_driver: str
    phase: Phase
    owner: Process  # the command that makes it or takes it away
    user: Process | None  # the run that it is for, if it was named: without it the lab is garbage
    netns: Path
    bridge: str
    mounts: list[Path]
    machines: dict[str, MachineState] = field(default_factory=dict)

    @property
    def directory(self) -> Path:
        return directory(self.name)

    @property
    def nodes(self) -> list[MachineState]:
        return [machine for machine in self.machines.values() if machine.spec.is_node]

    @property
    def control_plane(self) -> MachineState:
        """The first one, by which the cluster was made."""
        return self.control_planes[0]

    @property
    def workers(self) -> list[MachineState]:
        return [machine for machine in self.nodes if machine.spec.role == "worker"]

    @property
    def control_planes(self) -> list[MachineState]:
        return [machine for machine in self.nodes if machine.spec.role == "control-plane"]

    @property
    def server(self) -> MachineState:
        return self.machines[SERVER]

    @property
    def endpoint(self) -> str:
        """Where the API is asked: the only control plane, or haproxy on the server in front of several."""
        first = self.server if len(self.control_planes) > 1 else self.control_plane
        return f"{first.spec.address}:{API_PORT}"

    def machine(self, name: str) -> MachineState:
        if name not in self.machines:
            raise LabError(f"lab {self.name} has no machine {name!r}; it has {', '.join(self.machines)}")
        return self.machines[name]

    def save(self) -> None:
        """Write all of it; only for the one command that makes the lab or takes it away."""
        with _locked(self.directory):
            _write(self.directory, asdict(self))

    def record(self, machine: MachineState) -> None:
        """Write one machine's processes, and leave the rest as it is: several machines may boot at once."""
        with _locked(self.directory):
            data = _load(self.directory)
            data["machines"][machine.spec.name] = asdict(machine)
            _write(self.directory, data)


def base() -> Path:
    return Path(os.environ.get("CRI_SWITCH_LAB_STATE", _DEFAULT))


def directory(name: str) -> Path:
    return base() / name


def create(name: str, specs: list[Spec], debian: int, cgroup_driver: str, user: Process | None) -> Lab:
    """Record what is about to be made."""
    netns = network.namespace(name)
    lab = Lab(name, debian, cgroup_driver, "starting", Process.of(os.getpid()), user, netns, network.BRIDGE, [netns])
    for spec in specs:
        root = directory(name) / "machines" / spec.name / "root"
        lab.mounts.append(root.parent)
        lab.machines[spec.name] = MachineState(spec, root, cgroups.paths(machine_id(name, spec.name)))
    unborn = base() / f"{LEFTOVER}{name}"
    unborn.mkdir(parents=True)
    _write(unborn, asdict(lab))
    unborn.rename(lab.directory)
    return lab


def load(name: str) -> Lab:
    """A lab that is there; a LabError when it is not."""
    file = directory(name) / "state.json"
    if not file.exists():
        raise LabError(f"no lab named {name!r} (python -m tests.lab up --name {name})")
    return _read(_load(file.parent))


def every() -> list[Lab]:
    """All labs of this state directory."""
    return [load(file.parent.name) for file in sorted(base().glob("*/state.json"))]


@contextmanager
def exclusive() -> Iterator[None]:
    """One command at a time makes or takes away labs; the lock falls with its process."""
    base().mkdir(parents=True, exist_ok=True)
    with (base() / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _load(place: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((place / "state.json").read_text())
    return data


def _write(place: Path, data: dict[str, Any]) -> None:
    temporary = place / ".state.json"
    temporary.write_text(json.dumps(data, indent=1, default=str) + "\n")
    temporary.replace(place / "state.json")


@contextmanager
def _locked(place: Path) -> Iterator[None]:
    with (place / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _read(data: dict[str, Any]) -> Lab:
    machines = {name: _read_machine(value) for name, value in data.pop("machines").items()}
    owner, user, netns = Process(**data.pop("owner")), _process(data.pop("user")), Path(data.pop("netns"))
    mounts = [Path(mount) for mount in data.pop("mounts")]
    return Lab(owner=owner, user=user, netns=netns, mounts=mounts, machines=machines, **data)


def _read_machine(data: dict[str, Any]) -> MachineState:
    return MachineState(
        Spec(**data["spec"]),
        Path(data["root"]),
        [Path(path) for path in data["cgroups"]],
        _process(data["nspawn"]),
        _process(data["leader"]),
        data.get("pid_namespace"),
    )


def _process(data: dict[str, Any] | None) -> Process | None:
    return Process(**data) if data else None
