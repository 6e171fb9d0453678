"""What else may be broken when a node goes back, and what a run does after a node that could not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.look import cluster
from tests.e2e.site import Site
from tests.faults.cell import cell
from tests.faults.look import as_it_stands, differs, in_service
from tests.faults.run import KILLED, Runs, in_turn, is_unhealthy
from tests.lab import faults, machine
from tests.lab.state import Lab

pytestmark = pytest.mark.slow

_CRICTL, _AWAY = "/usr/bin/crictl", "/root/crictl.away"
_DAEMON = "/etc/docker/daemon.json"
_BROKEN_CONFIG = "echo 'version = [' > /etc/containerd/config.toml; systemctl restart containerd; true"


def _root(site: Site, node: str, script: str) -> tuple[str, ...]:
    return ("root", "--name", site.name, node, "--", "sh", "-c", script)


@contextmanager
def _mended(site: Site, node: str, *argv: str) -> Iterator[None]:
    """What the fault broke beside the migration is put right in the end, by the administrator as it were."""
    try:
        yield
    finally:
        machine.execute(site.lab.machine(node), *argv, check=False)


@pytest.mark.parametrize("node", ["w1", "w2", "cp1"])
def test_a_broken_config_of_containerd(site: Site, runs: Runs, output: Path, node: str) -> None:
    """Pods run in containerd, and it does not start any more: its CRI must be made to serve to take them away."""
    with cell(site, output, node, "start_kubelet", "after, config.toml broken") as here:
        ended = runs.migrate([node], (node, "start_kubelet", "after", *_root(site, node, _BROKEN_CONFIG)))
        here.ran(ended)
        assert (ended.exit_code, ended.outcomes) == (7, {node: "rolled-back"}), ended.log[-3000:]
        here.is_back_on_docker()


@pytest.mark.parametrize("node", ["w1", "w2", "cp1"])
def test_no_crictl(site: Site, runs: Runs, output: Path, node: str) -> None:
    """The pods are taken from containerd by ctr, CNI DEL and umount."""
    with (
        cell(site, output, node, "start_kubelet", "after, no crictl") as here,
        _mended(site, node, "mv", _AWAY, _CRICTL),
    ):
        away = _root(site, node, f"mv {_CRICTL} {_AWAY}")
        ended = runs.migrate([node], (node, "start_kubelet", "after", *away))
        here.ran(ended)
        assert (ended.exit_code, ended.outcomes) == (7, {node: "rolled-back"}), ended.log[-3000:]
        here.is_back_on_docker()
        mounts = site.root(node, "cat", "/proc/mounts")
        assert "cni-" not in "".join(line for line in mounts.splitlines() if "nsfs" in line)
        assert "io.containerd.grpc.v1.cri/sandboxes" not in mounts


@pytest.mark.parametrize(
    ("node", "step"),
    [("w1", "stop_kubelet"), ("w2", "stop_docker"), ("w1", "configure_kubelet"), ("cp1", "stop_docker")],
)
def test_the_flow_killed_the_node_rebooted_and_taken_back_by_hand(
    site: Site, runs: Runs, output: Path, node: str, step: str
) -> None:
    with cell(site, output, node, step, "killed, rebooted, `cri-switch rollback`") as here:
        _killed_and_rebooted(site, runs, node, step)
        ended = in_turn(lambda: runs.rollback(node))
        here.ran(ended)
        assert (ended.exit_code, ended.outcomes) == (0, {node: "rolled-back"}), ended.log[-3000:]
        here.is_back_on_docker()


@pytest.mark.parametrize(("node", "step"), [("w2", "stop_kubelet"), ("w1", "stop_docker"), ("w2", "configure_kubelet")])
def test_the_flow_killed_the_node_rebooted_and_migrated_by_the_next_run(
    site: Site, runs: Runs, output: Path, node: str, step: str
) -> None:
    """The next run migrates it; then, Docker's packages being there, it goes back later."""
    with cell(site, output, node, step, "killed, rebooted, next run, `cri-switch rollback`") as here:
        _killed_and_rebooted(site, runs, node, step)
        ended = in_turn(lambda: runs.migrate([node]))
        assert (ended.exit_code, ended.outcomes) == (0, {node: "migrated"}), ended.log[-3000:]
        back = runs.rollback(node)
        here.ran(back)
        assert (back.exit_code, back.outcomes) == (0, {node: "rolled-back"}), back.log[-3000:]
        here.is_back_on_docker()


@pytest.mark.parametrize("node", ["w1", "w2", "cp1"])
def test_a_migrated_node_goes_back_later(site: Site, runs: Runs, output: Path, node: str) -> None:
    with cell(site, output, node, "settle", "migrated, later `cri-switch rollback`") as here:
        ended = runs.migrate([node])
        assert (ended.exit_code, ended.outcomes) == (0, {node: "migrated"}), ended.log[-3000:]
        assert cluster.runtimes(site)[node].startswith("containerd://")
        back = runs.rollback(node)
        here.ran(back)
        assert (back.exit_code, back.outcomes) == (0, {node: "rolled-back"}), back.log[-3000:]
        here.is_back_on_docker()
        assert runs.rollback(node).exit_code == 0, "a second rollback has nothing to do"
        here.is_back_on_docker()


_RESTARTED = "systemctl restart docker.service; ! pgrep -a containe | grep containerd.toml"


def test_docker_took_the_staged_containerd_for_its_own(site: Site, runs: Runs, output: Path) -> None:
    """w2's Docker is self-contained; started anew after the stage it finds a socket, and the way back removes that."""
    with cell(site, output, "w2", "drain", "after, dockerd restarted after the stage") as here:
        ended = runs.migrate(["w2"], ("w2", "drain", "after", *_root(site, "w2", _RESTARTED)))
        here.ran(ended)
        assert (ended.exit_code, ended.outcomes) == (7, {"w2": "rolled-back"}), ended.log[-3000:]
        assert "dockerd taken off the containerd that was installed" in ended.log
        here.is_back_on_docker()


def test_docker_on_the_staged_containerd_is_migrated_all_the_same(site: Site, runs: Runs, output: Path) -> None:
    with cell(site, output, "w2", "settle", "dockerd restarted after the stage, later `cri-switch rollback`") as here:
        ended = runs.migrate(["w2"], ("w2", "cordon", "then", *_root(site, "w2", _RESTARTED)))
        assert (ended.exit_code, ended.outcomes) == (0, {"w2": "migrated"}), ended.log[-3000:]
        back = runs.rollback("w2")
        here.ran(back)
        assert (back.exit_code, back.outcomes) == (0, {"w2": "rolled-back"}), back.log[-3000:]
        here.is_back_on_docker()


def test_the_power_goes_during_a_step(site: Site, runs: Runs, output: Path) -> None:
    """Nothing can be undone there: it is unhealthy, no further node starts; with the power back the command works."""
    with cell(site, output, "w1", "configure_runtime", "then the power is cut") as here:
        off = ("w1", "configure_runtime", "then", "kill", "--name", site.name, "w1")
        ended = runs.migrate(["w1", "w2"], off, max_failures=5, ssh={"connect_timeout": 5})
        here.ran(ended)
        is_unhealthy(runs, ended, "w1")
        assert ended.outcomes["w2"] == "untouched"
        machine.boot(site.lab, site.lab.machine("w1"))
        back = runs.rollback("w1")
        assert (back.exit_code, back.outcomes) == (0, {"w1": "rolled-back"}), back.log[-3000:]
        here.is_back_on_docker()
        _unstage(runs)
        here.row["end"] = "unhealthy; power back and `cri-switch rollback`: back on Docker"


def test_a_way_back_that_fails(site: Site, runs: Runs, output: Path) -> None:
    """dockerd does not start any more (its settings were broken by somebody else); mended, the command works."""
    kept = site.root("w1", "cat", _DAEMON)
    with cell(site, output, "w1", "start_kubelet", "after, dockerd cannot start") as here:
        others = {node: in_service(as_it_stands(site, node)) for node in site.nodes if node != "w1"}
        broken = _root(site, "w1", f"echo '{{' > {_DAEMON}")
        ended = runs.migrate(["*"], ("w1", "start_kubelet", "after", *broken), max_failures=5)
        here.ran(ended)
        is_unhealthy(runs, ended, "w1")
        for node, before in others.items():
            assert ended.outcomes[node] == "untouched"
            assert differs(before, in_service(as_it_stands(site, node))) == {}
        found = site.get("nodes", "--field-selector=metadata.name=w1")[0]
        assert found["spec"].get("unschedulable"), "no new pods on it"
        site.write("w1", _DAEMON, kept)
        back = runs.rollback("w1")
        assert (back.exit_code, back.outcomes) == (0, {"w1": "rolled-back"}), back.log[-3000:]
        here.is_back_on_docker()
        _unstage(runs)
        here.row["end"] = "unhealthy; mended and `cri-switch rollback`: back on Docker"


def test_a_full_disk(site: Site, runs: Runs, output: Path) -> None:
    """No byte is left when containerd is configured: a kubelet that starts then evicts, and deletes images."""
    with cell(site, output, "w1", "stop_docker", "then the disk is full") as here, _emptied(site.lab, "w1"):
        full = ("w1", "stop_docker", "then", "fill", "--name", site.name, "--leave", "0", "w1")
        images = set(site.root("w1", "docker", "images", "-q").split())  # those of one age come in any order
        ended = runs.migrate(["w1"], full)
        here.ran(ended)
        assert "No space left" in ended.log
        is_unhealthy(runs, ended, "w1")
        assert "/ is full" in ended.log
        assert "make room on the node" in ended.log
        faults.unfill(site.lab.machine("w1"))
        back = runs.rollback("w1")
        assert (back.exit_code, back.outcomes) == (0, {"w1": "rolled-back"}), back.log[-3000:]
        here.is_back_on_docker()
        assert set(site.root("w1", "docker", "images", "-q").split()) == images
        here.row["end"] = "unhealthy; room made and `cri-switch rollback`: back on Docker"


@pytest.mark.parametrize("mode", ["fail", "hang"])
def test_the_package_repository(site: Site, runs: Runs, output: Path, mode: faults.Mode) -> None:
    """w2 has no containerd of the distribution: without a repository it is not staged, and nothing is touched."""
    with cell(site, output, "w2", "stage", f"the package repository: {mode}") as here:
        site.root("w2", "apt-get", "clean")  # what an earlier run has downloaded would do
        faults.repository(site.lab, mode)
        try:
            ended = runs.migrate(["w2"], timeouts={"packages": 40})
        finally:
            faults.repository(site.lab, "ok")
        here.ran(ended)
        assert ended.exit_code != 0
        assert "migrated" not in ended.outcomes.values()
        assert ended.log.count("no node was taken out of service") or "nothing was touched" in ended.log
        here.is_untouched()
        assert site.code("w2", "pgrep", "apt-get") == 1, "no package manager is left running"


def test_a_failed_canary_stops_everything(site: Site, runs: Runs, output: Path) -> None:
    with cell(site, output, "w1", "stop_kubelet", "the canary, max_failures 5") as here:
        others = {node: in_service(as_it_stands(site, node)) for node in site.nodes if node != "w1"}
        ended = runs.migrate(["*"], ("w1", "stop_kubelet", "after"), max_failures=5)
        here.ran(ended)
        assert (ended.exit_code, ended.outcomes) == (
            7,
            {"w1": "rolled-back"} | dict.fromkeys(others, "untouched"),
        ), ended.log[-3000:]
        here.is_back_on_docker()
        assert {node: differs(before, in_service(as_it_stands(site, node))) for node, before in others.items()} == {
            node: {} for node in others
        }
        _unstage(runs)


@pytest.mark.parametrize(("allowed", "last"), [(0, "untouched"), (1, "migrated")])
def test_max_failures(site: Site, runs: Runs, output: Path, allowed: int, last: str) -> None:
    """w2, no canary, fails: with one failure allowed the control plane is switched after it, else it is not."""
    with cell(site, output, "w2", "stop_docker", f"not the canary, max_failures {allowed}") as here:
        ended = runs.migrate(["*"], ("w2", "stop_docker", "after"), max_failures=allowed)
        here.ran(ended)
        assert (ended.exit_code, ended.outcomes) == (
            7,
            {"w1": "migrated", "w2": "rolled-back", "cp1": last},
        ), ended.log[-3000:]
        here.is_back_on_docker()
        for node in [name for name, outcome in ended.outcomes.items() if outcome == "migrated"]:
            assert runs.rollback(node).exit_code == 0


@contextmanager
def _emptied(lab: Lab, node: str) -> Iterator[None]:
    try:
        yield
    finally:
        faults.unfill(lab.machine(node))


def _unstage(runs: Runs) -> None:
    """w2 was not touched, and has the package that stage installed: a later rollback takes it away, as it should."""
    done = runs.rollback("w2")
    assert (done.exit_code, done.outcomes) == (0, {"w2": "rolled-back"}), done.log[-3000:]


def _killed_and_rebooted(site: Site, runs: Runs, node: str, step: str) -> None:
    killed = runs.migrate([node], (node, step, "kill"))
    assert killed.exit_code == KILLED, killed.log[-3000:]
    target = site.lab.machine(node)
    machine.stop(target)
    machine.boot(site.lab, target)
