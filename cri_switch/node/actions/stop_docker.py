"""Stop all that Docker runs, in the order that leaves nothing behind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Sequence
from typing import Any

from cri_switch.model.errors import NotProven
from cri_switch.model.migration import Migration
from cri_switch.node.action import Action, Do, Part, Until, read
from cri_switch.node.actions.give_back import give_back
from cri_switch.node.actions.remove_stale_rules import remove_stale_rules
from cri_switch.node.actions.retire_docker import RETIRED, SERVICE, SOCKET, retire_docker
from cri_switch.node.actions.stop_kubelet import KUBELET
from cri_switch.node.command import sudo
from cri_switch.node.docker_empty import docker_is_empty
from cri_switch.node.facts.cni import DOCKERSHIM_CACHE, attachments
from cri_switch.node.facts.docker import DOCKER_IDS, DOCKER_SHIMS, Container, docker_containers
from cri_switch.node.facts.log_links import DOCKER_LOG_LINKS
from cri_switch.node.facts.units import units
from cri_switch.node.flags import CNI_BIN_DIR, flags_before

_LINKS_AT_ONCE = 200


def stop_docker(migration: Migration, *, migration_id: str) -> Action:
    """Application containers, then CNI DEL while the pauses live, then the pauses; all removed, and dockerd off.

    Rules of sandboxes that were gone before go too: verify_node takes them for its own run's, and refuses the node.

    With `dockerd_until_kubelet` dockerd stays up, proven empty: `retire_docker` follows once the kubelet is Ready.

    Raises:
        NotProven: containers that are not Kubernetes' are there and not allowed, or some live without dockerd.
    """
    found = yield from read(units(SERVICE, KUBELET))
    containers: tuple[Container, ...] = ()
    if found[SERVICE].active:
        ids = yield from read(DOCKER_IDS)
        containers = yield from read(docker_containers(ids))
    elif shims := (yield from read(DOCKER_SHIMS)):
        raise NotProven(
            f"dockerd is off, but {len(shims)} of its containers run: {shims[0]:.200}",
            state="the kubelet is stopped, nothing of Docker's was touched",
            next_step=f"on the node: sudo systemctl unmask {SOCKET} {SERVICE}; sudo systemctl start {SERVICE}",
        )
    if containers:
        yield Until(
            units(KUBELET),
            lambda now: not now[KUBELET].active,
            "kubelet stopped (else it would make anew what is stopped here)",
            next_step="run the same again: stop_kubelet comes first",
        )
    if not migration.spec.allow_foreign_containers:
        _refuse_foreign(containers)

    yield from _stop(application_order(containers))
    flags = yield from flags_before(migration_id, migration.spec.kubelet.flags_file)
    cache = flags.get("cni-cache-dir", DOCKERSHIM_CACHE)
    left = yield from read(attachments(cache))
    pids = {one.id: one.pid for one in containers if one.sandbox and one.running}
    given, failed = yield from give_back(left, pids, flags.get("cni-bin-dir", CNI_BIN_DIR))
    yield from _stop([[one for one in containers if one.sandbox]])
    if containers:
        yield Do(sudo("docker", "rm", *(one.id for one in containers), timeout=300), "remove Docker's containers")
    yield from docker_is_empty(dockerd=found[SERVICE].active)
    migrated = found[KUBELET].active and not containers
    stale = [] if migrated else (yield from remove_stale_rules(cache))
    links = yield from read(DOCKER_LOG_LINKS)
    for start in range(0, len(links), _LINKS_AT_ONCE):
        some = links[start : start + _LINKS_AT_ONCE]
        yield Do(sudo("rm", "-f", "--", *some), "remove log links that lead into Docker's root")

    done = [f"{len(containers)} containers stopped and removed"] if containers else []
    done += [f"{len(given)} network attachments given back"] if given else []
    done += stale
    done += [f"{len(links)} log links removed"] if links else []
    if not migration.spec.dockerd_until_kubelet:
        retired = yield from retire_docker(migration)
        done += [] if retired == RETIRED else [retired]
    if failed:
        done.append("CNI DEL failed: " + "; ".join(failed))
    return ", ".join(done) or "Docker ran nothing already"


def application_order(containers: Sequence[Container]) -> list[list[Container]]:
    """Groups to stop one after the other: kube-apiserver, then the others, etcd last (it hangs the API server else).

    A group is stopped in parallel, so that the others are grouped by their grace period, the shortest first.
    """
    rest: dict[int, list[Container]] = defaultdict(list)
    api, etcd = [], []
    for one in containers:
        if one.sandbox:
            continue
        if one.kubernetes and one.pod.startswith("kube-system/") and one.container_name == "kube-apiserver":
            api.append(one)
        elif one.kubernetes and one.pod.startswith("kube-system/") and one.container_name == "etcd":
            etcd.append(one)
        else:
            rest[one.grace].append(one)
    return [api, *(rest[grace] for grace in sorted(rest)), etcd]


def _stop(groups: Sequence[Sequence[Container]]) -> Generator[Part, Any, None]:
    for group in groups:
        running = [one for one in group if one.running]
        if not running:
            continue
        grace = max(one.grace for one in running)
        names = sorted({one.container_name or one.name for one in running})
        why = f"stop {len(running)} containers ({', '.join(names)[:200]})"
        command = ("docker", "stop", "-t", str(grace), *(one.id for one in running))
        yield Do(sudo(*command, timeout=grace + 120), why)


def _refuse_foreign(containers: Sequence[Container]) -> None:
    foreign = [one for one in containers if not one.kubernetes]
    if foreign:
        listed = ", ".join(f"{one.name} ({one.image}, {one.state})" for one in foreign[:10])
        raise NotProven(
            f"Docker has {len(foreign)} containers that are not Kubernetes': {listed}",
            state="the kubelet is stopped, nothing of Docker's was touched",
            next_step="move them away, or allow their removal by spec.allow_foreign_containers: true",
        )
