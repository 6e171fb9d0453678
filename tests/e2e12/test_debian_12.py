"""A cluster of Debian 12: containerd 1.6, whose registries are hosts.toml files; a step that fails, then all of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.look import cluster, containers, node, registry
from tests.e2e.own_lab import own_lab
from tests.e2e.site import Site
from tests.e2e.wait import until_none
from tests.faults.cell import cell
from tests.faults.look import whole
from tests.faults.run import Ended, Runs
from tests.lab.up import Wish
from tests.support.prefect_server import PrefectServer

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.timeout(1800)]

_REGISTRY = "10.77.0.2:5000"
_NODES = ("cp1", "w1", "w2")
each_node = pytest.mark.parametrize("name", _NODES)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """With CRI_SWITCH_DEBIAN12_LAB=NAME a lab that stands already, and stays."""
    with own_lab(Wish("debian12", debian=12, for_pid=os.getpid()), "CRI_SWITCH_DEBIAN12_LAB") as found:
        yield found


@pytest.fixture(scope="module")
def output() -> Path:
    """Where the cells' record and the runs' logs stay."""
    place = Path(os.environ.get("CRI_SWITCH_TEST_OUTPUT", "build/test-output")).resolve()
    (place / "debian12").mkdir(parents=True, exist_ok=True)
    return place


@pytest.fixture(scope="module")
def server(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with PrefectServer(tmp_path_factory.mktemp("prefect")) as server:  # this process is in the lab's network already
        yield server.api


@pytest.fixture(scope="module")
def failed(site: Site, server: str, output: Path, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """w2 fails when its kubelet has started; it is judged here, before anything else is done to it."""
    runs = Runs(site, tmp_path_factory.mktemp("failed"), output / "debian12", server)
    with cell(site, output, "w2", "start_kubelet", "after, Debian 12") as here:
        ended = runs.migrate(["w2"], ("w2", "start_kubelet", "after"))
        here.ran(ended)
        here.is_back_on_docker()
    return ended


@pytest.fixture(scope="module")
def migrated(site: Site, server: str, output: Path, failed: Ended, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """The whole migration."""
    until_none("the workload to be whole", lambda: whole(site), 300, every=1)
    runs = Runs(site, tmp_path_factory.mktemp("migrated"), output / "debian12", server)
    return runs.migrate(["*"], remove_docker="after_migration")


def test_a_node_that_fails_goes_back_to_docker(failed: Ended) -> None:
    assert (failed.exit_code, failed.outcomes) == (7, {"w2": "rolled-back"}), failed.log[-3000:]


def test_every_node_arrives(site: Site, migrated: Ended) -> None:
    assert migrated.exit_code == 0, migrated.log[-3000:]
    assert set(migrated.outcomes.values()) == {"migrated"}
    runtimes = cluster.runtimes(site)
    assert runtimes.keys() == set(_NODES)
    assert {each.rpartition(".")[0] for each in runtimes.values()} == {"containerd://1.6"}
    assert cluster.not_ready(site) == []
    until_none("everything to be whole", lambda: cluster.not_whole(site), 300, every=1)
    assert cluster.not_on(site, "containerd://") == []


@each_node
def test_registries_are_files_of_containerds(site: Site, migrated: Ended, name: str) -> None:
    """config_path and no tables in config.toml; the insecure registry and the mirror as hosts.toml."""
    cri = node.containerd_config(site, name)["plugins"]["io.containerd.grpc.v1.cri"]
    assert cri["registry"]["config_path"] == "/etc/containerd/certs.d"
    assert not cri["registry"].get("mirrors")
    text = site.read(name, f"/etc/containerd/certs.d/{_REGISTRY}/hosts.toml") or ""
    assert f'server = "http://{_REGISTRY}"' in text, text
    assert f'[host."https://{_REGISTRY}"]' in text, text
    text = site.read(name, "/etc/containerd/certs.d/docker.io/hosts.toml") or ""
    assert f'[host."http://{_REGISTRY}"]' in text, text


@each_node
def test_an_image_that_no_node_has_is_pulled(site: Site, migrated: Ended, name: str) -> None:
    registry.pull(site, name, [f"{_REGISTRY}/lab/fresh:1", "lab/fresh:1"])


@each_node
def test_nothing_of_dockers_is_left(site: Site, migrated: Ended, name: str) -> None:
    now = node.installed(site, name)
    assert not now & set(node.DOCKER_PACKAGES)
    assert {"containerd", "runc"} <= node.manual(site, name)
    assert [link for link in node.masks(site, name) if "docker" in link] == []
    assert node.moby(site, name) == []


@each_node
def test_containers_lie_under_kubepods(site: Site, migrated: Ended, name: str) -> None:
    running = containers.running(site, name)
    assert running
    for container in running:
        paths = containers.cgroups(site, name, container)
        assert all("/kubepods" in path for key, path in paths.items() if key), f"{container.pod}: {paths}"
