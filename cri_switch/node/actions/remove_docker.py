"""Docker's packages: removed, never purged, once it is proven that they could be fetched again."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from cri_switch.model.attempt import Attempt
from cri_switch.model.errors import NotProven
from cri_switch.model.migration import Migration
from cri_switch.node.action import Action, Do, Part, Until, read
from cri_switch.node.actions.install_runtime import runtime_package
from cri_switch.node.apt import apt, keep_from_autoremove, lift_holds, simulated
from cri_switch.node.command import Command, plain, sudo
from cri_switch.node.fact import Fact
from cri_switch.node.facts.packages import DOCKER, Package, packages, policy
from cri_switch.node.facts.units import units

DOCKER_UNITS = ("docker.service", "docker.socket")
LEFTOVERS = ("/run/docker.sock", "/var/lib/dockershim")
CONTAINERS: Fact[frozenset[str]] = Fact(
    "containers in k8s.io",
    sudo("ctr", "-n", "k8s.io", "containers", "ls", "-q"),
    lambda result: frozenset(result.stdout.split()),
)
DANGLING: Fact[list[str]] = Fact(
    "dangling links of Docker's units",
    plain("find", "/etc/systemd/system", "-xtype", "l", "-name", "docker.*", "-path", "*.wants/*"),
    lambda result: result.stdout.split(),
)
RC_LINKS: Fact[list[str]] = Fact(
    "boot links of Docker's init script",
    plain("find", "/etc", "-maxdepth", "2", "-path", "/etc/rc?.d/[SK][0-9][0-9]docker", ok=(0, 1)),
    lambda result: result.stdout.split(),
)
"""A removed package keeps /etc/init.d/docker, and systemd makes a unit of it that fails at each boot (seen on Debian
11). A reinstall makes the links anew."""
LEFT: Fact[list[str]] = Fact(
    "what Docker left",
    plain("stat", "-c", "%n", "--", *LEFTOVERS, ok=(0, 1)),
    lambda result: result.stdout.split(),
)


def remove_docker(migration: Migration, attempt: Attempt) -> Action:
    """Remove the installed ones of Docker's packages; its data, its repository and containerd stay.

    Raises: NotProven when a package could not be fetched again, when apt would take more than Docker's packages, or
    when containerd is not the same process afterwards, or all of its containers are gone.
    """
    found = yield from read(packages(*DOCKER, "containerd", "containerd.io", "runc"))
    docker = [found[name] for name in DOCKER if name in found and found[name].installed]
    runtime = runtime_package(found, migration.spec.target.package)
    if docker:
        if runtime is None:
            raise NotProven(f"{attempt.node}: containerd is no package of its own here; Docker's packages stay")
        yield from _fetchable(migration, attempt, docker)
        runc = ["runc"] if "runc" in found and found["runc"].installed else []
        yield from keep_from_autoremove([runtime.name, *runc])
        yield from _removed(migration, attempt, [package.name for package in docker])
    gone = [name for name in DOCKER if name in found and (found[name].installed or found[name].status.startswith("r"))]
    tidied = yield from _tidied(gone, removed_now=bool(docker))
    if docker:
        names = ", ".join(f"{package.name} {package.version}" for package in docker)
        return f"removed {names}; /var/lib/docker is untouched"
    return "Docker's packages were gone already" + ("; its last traces removed" if tidied else "")


def _fetchable(migration: Migration, attempt: Attempt, docker: Sequence[Package]) -> Generator[Part, Any, None]:
    """Download the very same versions: the only proof that a way back stays open. The files stay in apt's cache."""
    seconds = migration.spec.timeouts.packages
    for package in docker:
        offer = yield from read(policy(package.name))
        if package.version in offer.offered:
            continue
        yield from apt(attempt, "update", ("update",), seconds=seconds, why="read the package lists")
        yield Until(
            policy(package.name),
            lambda now, version=package.version: version in now.offered,  # type: ignore[misc]
            f"a source that still has {package.name} {package.version}",
            next_step="give the node a source that has it, or set spec.remove_docker: never; the node is fine as it is",
        )
    exact = [f"{package.name}={package.version}" for package in docker]
    fetch = ("install", "--reinstall", "--download-only", "--allow-change-held-packages", *exact)
    yield from apt(attempt, "fetch-docker", fetch, seconds=seconds, why="prove that Docker could be installed again")


def _removed(migration: Migration, attempt: Attempt, names: Sequence[str]) -> Generator[Part, Any, None]:
    would = yield from read(simulated("remove", "--allow-change-held-packages", *names))
    others = (would.removes | would.purges) - set(names)
    if would.why_not:
        raise NotProven(
            f"{attempt.node}: apt refuses to remove {', '.join(names)}: {would.why_not}",
            state="nothing was removed; the node is fine as it is",
            next_step=f"look at it: ssh {attempt.node} apt-get -s remove {' '.join(names)}",
        )
    if others or would.purges:
        more = ", ".join(sorted(others)) or "their data"
        raise NotProven(
            f"{attempt.node}: removing {', '.join(names)} would also remove {more}",
            state="nothing was removed; the node is fine as it is",
            next_step=f"look at it: ssh {attempt.node} apt-get -s remove {' '.join(names)}",
        )
    before = (yield from read(units("containerd.service")))["containerd.service"]
    containers = yield from read(CONTAINERS)
    yield from lift_holds(names)
    masked = yield from _masked()
    if masked:  # before the removal: a mask of ours would survive it and a reinstall
        yield Do(sudo("systemctl", "unmask", *masked), "so that no mask outlives the packages")
    seconds = migration.spec.timeouts.packages
    yield from apt(attempt, "remove-docker", ("remove", *names), seconds=seconds, why="remove Docker's packages")
    yield Until(
        packages(*names),
        lambda now: not any(package.installed for package in now.values()),
        "that Docker's packages are gone",
    )
    yield Until(
        units("containerd.service"),
        lambda now: now["containerd.service"].active and now["containerd.service"].main_pid == before.main_pid,
        "that containerd runs on, the same process",
        next_step=f"look at it: ssh {attempt.node} sudo journalctl -u containerd",
    )
    # The node serves: pods come and go meanwhile (a CronJob's was seen to). What a removal takes, it takes all at once.
    yield Until(
        CONTAINERS,
        lambda now: not containers or bool(containers & now),
        "that containers of k8s.io outlive the removal",
        next_step=f"look at it: ssh {attempt.node} sudo crictl ps -a",
    )


def _tidied(gone: Sequence[str], *, removed_now: bool) -> Generator[Part, Any, bool]:
    changed = False
    masked = yield from _masked()
    for package in gone if masked else ():  # Debian's own postrm masks (seen on Debian 11)
        changed = True
        argv = ("deb-systemd-helper", "unmask", *DOCKER_UNITS)
        yield Do(Command(argv, env=(("DPKG_MAINTSCRIPT_PACKAGE", package),)), "undo the mask of the package's postrm")
    left = yield from _masked()
    if left and masked:
        changed = True
        yield Do(sudo("systemctl", "unmask", *left), "no mask is left")
    for path in [*(yield from read(LEFT)), *(yield from read(DANGLING)), *(yield from read(RC_LINKS))]:
        changed = True
        yield Do(sudo("rm", "-rf", "--one-file-system", "--", path), "a trace of Docker")
    if changed or removed_now:
        yield Do(sudo("systemctl", "daemon-reload"), "systemd forgets Docker's units")
        yield Until(units(*DOCKER_UNITS), lambda now: not any(u.masked for u in now.values()), "that no mask is left")
    return changed


def _masked() -> Generator[Part, Any, list[str]]:
    found = yield from read(units(*DOCKER_UNITS))
    return [name for name, unit in found.items() if unit.masked]
