"""Build a lab: machines, cluster, workload and what it hands out, side by side where nothing waits for anything."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.lab import access, assets, check, cluster, images, keys, network, provision, state, teardown, workloads
from tests.lab import machine as machines
from tests.lab.machine import execute
from tests.lab.process import Process, wait_for
from tests.lab.report import LabError, say, step
from tests.lab.state import Lab, MachineState
from tests.lab.topology import machines as specs_of

_DISK = 20 * 10**9


@dataclass(frozen=True)
class Wish:
    """What a person asked for."""

    name: str
    control_planes: int = 1
    workers: int = 2
    debian: int = 11
    cgroup_driver: str = "cgroupfs"
    workload: bool = True
    for_pid: int | None = None
    debian_of: Mapping[str, int] = field(default_factory=dict)  # nodes of another Debian than the rest


def up(wish: Wish) -> Path:
    """Bring it up whole or not at all; the answer is the lab's directory."""
    specs = specs_of(wish.control_planes, wish.workers, wish.debian, wish.debian_of)
    if wish.workload and (wish.workers < 1 or wish.control_planes + wish.workers < 3):
        raise LabError("the standard workload needs three nodes, one of them a worker (or --no-workload)")
    provision.check_inputs()
    _check_disk()
    assets.host_packages()
    _build_assets({spec.debian for spec in specs})
    with state.exclusive():
        teardown.collect()
        if state.directory(wish.name).exists():
            raise LabError(f"lab {wish.name} is there already (python -m tests.lab down --name {wish.name})")
        lab = state.create(wish.name, specs, wish.debian, wish.cgroup_driver, _user(wish.for_pid))
    try:
        _build(lab, wish)
    except BaseException:
        say(f"up failed; the machines' consoles and roots are in {lab.directory} until the next up, gc or down")
        raise
    lab.phase = "up"
    lab.save()
    return lab.directory


def _build(lab: Lab, wish: Wish) -> None:
    (lab.directory / "machines").mkdir()
    with step("network"):
        network.create(lab.name)
    public_key = keys.create(lab.directory)
    token, certificate_key = cluster.new_token(), cluster.new_certificate_key()
    with ThreadPoolExecutor(max_workers=32) as pool:
        known = {name: pool.submit(_start, lab, each, public_key) for name, each in lab.machines.items()}
        loaded = {node.spec.name: pool.submit(_load, known[node.spec.name], node) for node in lab.nodes}
        endpoint = [known[lab.server.spec.name]] if len(lab.control_planes) > 1 else []
        started = pool.submit(_init, lab, [loaded[lab.control_plane.spec.name], *endpoint], token, certificate_key)
        joined: list[Future[None]] = []
        before = started
        for node in [*lab.control_planes[1:], *lab.workers]:
            after = [started if node in lab.workers else before, loaded[node.spec.name]]
            before = pool.submit(_join, lab, node, after, token, certificate_key)
            joined.append(before)
        updated = [pool.submit(_update_packages, node, known.values()) for node in lab.nodes]
        _all([*known.values(), *loaded.values(), started, *joined, *updated])
        _write_ssh(lab, [future.result() for future in known.values()])
        if len(lab.control_planes) > 1:
            cluster.renew_controllers(lab)
        cluster.connect_pods(lab)
        access.pipeline(lab)
        (lab.directory / "migration.yaml").write_text(access.settings(lab.name, lab.directory))
        cluster.wait_ready(lab)
        waits: list[Callable[[Lab], None]] = [check.pod_network, check.machines, check.cgroups, check.system_pods]
        if wish.workload:
            workloads.apply(lab)
            waits.append(workloads.wait_whole)
        _all([pool.submit(wait, lab) for wait in waits])


def _start(lab: Lab, each: MachineState, public_key: str) -> str:
    line = provision.create_root(lab, each, public_key)
    with step(f"{each.spec.name}: boot"):
        machines.boot(lab, each)
    return line


def _load(ready: Future[str], node: MachineState) -> None:
    ready.result()
    images.load(node)


def _init(lab: Lab, after: Sequence[Future[Any]], token: str, certificate_key: str) -> None:
    _all(after)
    cluster.init(lab, token, certificate_key)
    access.admin(lab)


def _join(lab: Lab, node: MachineState, after: Sequence[Future[None]], token: str, certificate_key: str) -> None:
    _all(after)
    cluster.join(lab, node, token, certificate_key)


def _update_packages(node: MachineState, ready: Iterable[Future[str]]) -> None:
    for each in ready:
        each.result()
    # without it apt-get ends well though the repository, which has just booted, did not answer (seen: no candidates)
    words = ("apt-get", "-qq", "-o", "APT::Update::Error-Mode=any", "update")
    wait_for(f"{node.spec.name}: its package lists", lambda: execute(node, *words, check=False).returncode == 0, 60)


def _write_ssh(lab: Lab, host_keys: list[str]) -> None:
    (lab.directory / "known_hosts").write_text("".join(host_keys))
    specs = [node.spec for node in lab.nodes]
    (lab.directory / "ssh_config").write_text(keys.ssh_config(lab.directory, specs))


def _build_assets(releases: Iterable[int]) -> None:
    """Everything the machines are made of; from the cache this takes no time."""
    with step("binaries, roots, images, packages"):
        for debian in sorted(releases):
            assets.build_all(debian)


def _check_disk() -> None:
    state.base().mkdir(parents=True, exist_ok=True)
    for place in (state.base(), assets.cache_root()):
        free = shutil.disk_usage(place).free
        if free < _DISK:
            raise LabError(f"{place} has {free / 1e9:.1f} GB of disk left, the lab needs 20 GB")


def _user(pid: int | None) -> Process | None:
    try:
        return Process.of(pid) if pid else None
    except OSError as error:
        raise LabError(f"--for-pid {pid}: there is no such process") from error


def _all(futures: Sequence[Future[Any]]) -> None:
    """Wait for all; the first that fails is raised at once, so that nobody waits for what cannot come."""
    for future in as_completed(futures):
        future.result()
