"""Every machine is rebooted once, all at the same moment: what holds then holds by files, not by luck."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from tests.e2e.before import Before
from tests.e2e.look import cluster, containers, iptables, ledger, node
from tests.e2e.migration import Migrated
from tests.e2e.site import Site
from tests.e2e.wait import until_none
from tests.lab import machine

_NODES = ("cp1", "w1", "w2")
each_node = pytest.mark.parametrize("name", _NODES)


@dataclass(frozen=True)
class Rebooted:
    time: datetime
    ledger: dict[str, list[str]]


@pytest.fixture(scope="module")
def rebooted(site: Site, migrated: Migrated) -> Rebooted:
    """All machines off and on again, and waited for with conditions that an old status cannot fulfil."""
    lines = ledger.lines(site)
    lab = site.lab
    with ThreadPoolExecutor(len(_NODES)) as pool:
        list(pool.map(lambda name: machine.stop(lab.machine(name)), _NODES))
        when = datetime.now(UTC)
        list(pool.map(lambda name: machine.boot(lab, lab.machine(name)), _NODES))
    until_none("all nodes Ready since the reboot", lambda: _not_back(site, when), 300, every=1)
    until_none("every pod whole since the reboot", lambda: _not_started(site, when), 300, every=1)
    return Rebooted(when, lines)


def _not_back(site: Site, when: datetime) -> list[str]:
    if not site.kubectl("get", "--raw", "/readyz", check=False):
        return ["the API"]
    return cluster.not_ready(site, since=when)


def _not_started(site: Site, when: datetime) -> list[str]:
    if not site.kubectl("get", "--raw", "/readyz", check=False):
        return ["the API"]
    old = cluster.not_started_since(site, when)
    return [*old, *cluster.not_whole(site)]


def test_every_node_is_back_on_containerd_with_all_its_pods(site: Site, rebooted: Rebooted) -> None:
    assert set(cluster.runtimes(site).values()) == {"containerd://1.4.13"}
    assert cluster.not_ready(site, since=rebooted.time) == []
    assert cluster.not_on(site, "containerd://") == []


@each_node
def test_forwarding_is_on_by_the_files(site: Site, rebooted: Rebooted, name: str) -> None:
    """Switched off by hand, systemd's own program for these files switches it on, as it did at the boot."""
    unit = site.root(name, "systemctl", "show", "-p", "Result,ActiveState", "systemd-sysctl.service").split()
    assert {"Result=success", "ActiveState=active"} <= set(unit), unit
    key = "/proc/sys/net/ipv4/ip_forward"
    site.root(name, "sh", "-c", f"echo 0 > {key}; /lib/systemd/systemd-sysctl")
    assert site.root(name, "cat", key).strip() == "1"


@each_node
def test_nothing_of_dockers_came_back(site: Site, before: Before, rebooted: Rebooted, name: str) -> None:
    assert node.alive(site, name) == []
    assert node.remains(site, name) == []
    assert node.moby(site, name) == []
    assert iptables.docker_lines(node.iptables(site, name)) == []
    assert node.masks(site, name) == before.masks[name]


@each_node
def test_the_hostport_answers_after_the_reboot(site: Site, rebooted: Rebooted, name: str) -> None:
    for asking in _NODES:
        assert f"node={name}" in site.root(asking, "curl", "-sf", "-m", "3", f"http://{site.address(name)}:9080/")


@each_node
def test_no_address_is_leaked_by_the_reboot(site: Site, rebooted: Rebooted, name: str) -> None:
    difference = lambda: node.reservations(site, name) ^ cluster.addresses(site, name)  # noqa: E731
    until_none(f"reservations on {name} to equal its pods' addresses", difference, 300)


def test_traffic_goes_from_node_to_node(site: Site, rebooted: Rebooted) -> None:
    agents = {pod["spec"]["nodeName"]: pod["status"]["podIP"] for pod in site.get("pods", "-l", "app=agent")}
    assert set(agents) == set(_NODES)
    for name in _NODES:
        own = next(each for each in containers.running(site, name) if each.name == "agent")
        for other, address in agents.items():
            answer = containers.fetch(site, name, own, f"http://{address}:8080/")
            assert answer is not None and f"node={other}" in answer, f"{name} -> {other}: {answer}"
        assert containers.fetch(site, name, own, "http://10.96.0.80/") is not None, f"{name} -> Service"


def test_the_statefulsets_lines_are_all_there(site: Site, rebooted: Rebooted) -> None:
    after = ledger.lines(site)
    assert ledger.lost(rebooted.ledger, after) == []
    assert all(len(lines) > len(rebooted.ledger[name]) for name, lines in after.items())
    assert [name for name, lines in after.items() if ledger.interleaved(lines)] == []
