"""A fault on one of three control planes: it goes back to Docker, and no second one is taken out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cri_switch.model.steps import STEPS
from tests.e2e.look import cluster
from tests.e2e.site import Site
from tests.e2e.wait import until_none
from tests.faults.cell import cell, note
from tests.faults.look import as_it_stands, differs, in_service, whole
from tests.faults.run import KILLED, Runs, in_turn, is_unhealthy
from tests.lab import machine

pytestmark = pytest.mark.slow

_WHERE = "of three control planes"
_STEPS = STEPS[STEPS.index("drain") :]


@pytest.mark.parametrize("when", ["inside", "after"])
@pytest.mark.parametrize("step", _STEPS)
def test_a_failed_step_ends_on_docker(site: Site, runs: Runs, output: Path, step: str, when: str) -> None:
    """The other two are not touched, though failures are allowed; etcd keeps its three members."""
    with cell(site, output, "cp2", step, f"{when}, {_WHERE}") as here:
        others = {node: in_service(as_it_stands(site, node)) for node in ("cp1", "cp3")}
        ended = runs.migrate(["cp2"], ("cp2", step, when))
        here.ran(ended)
        assert (ended.exit_code, ended.outcomes) == (7, {"cp2": "rolled-back"}), ended.log[-3000:]
        assert f"injected {when} {step}" in ended.log
        here.is_back_on_docker()
        assert {node: differs(before, in_service(as_it_stands(site, node))) for node, before in others.items()} == {
            node: {} for node in others
        }
        until_none("every member of etcd to be healthy", lambda: _etcd(site), 300)


def test_a_failed_control_plane_never_leads_to_a_second_one_out(site: Site, runs: Runs, output: Path) -> None:
    """Whichever comes first fails; with five failures allowed the other two stay as they are."""
    planes = [node for node in site.nodes if node.startswith("cp")]
    until_none("the workload to be whole", lambda: whole(site), 300, every=1)
    before = {node: in_service(as_it_stands(site, node)) for node in planes}
    ended = runs.migrate(planes, (",".join(planes), "stop_kubelet", "after"), max_failures=5)
    failed = [node for node, outcome in ended.outcomes.items() if outcome == "rolled-back"]
    row = {"node": ",".join(failed), "step": "stop_kubelet", "fault": "after, all three chosen, max_failures 5"}
    assert ended.exit_code == 7, ended.log[-3000:]
    assert len(failed) == 1
    assert sorted(ended.outcomes.values()) == ["rolled-back", "untouched", "untouched"]
    until_none("every control plane as it was", lambda: _changed(site, before), 300, every=1)
    end = "back on Docker; the other two untouched"
    note(output, row | {"end": end, "seconds": round(ended.seconds, 1), "docker": before[failed[0]]["runtime"]})


@pytest.mark.parametrize("step", ["stop_docker", "start_kubelet"])
def test_killed_on_one_of_three_the_next_run_migrates_it(site: Site, runs: Runs, output: Path, step: str) -> None:
    """SIGKILL with its etcd member out: the next run goes on with it first, and no other is taken out meanwhile."""
    with cell(site, output, "cp2", step, f"killed, next run, `cri-switch rollback`, {_WHERE}") as here:
        others = {node: in_service(as_it_stands(site, node)) for node in ("cp1", "cp3")}
        killed = runs.migrate(["cp2"], ("cp2", step, "kill"))
        assert killed.exit_code == KILLED, killed.log[-3000:]
        ended = in_turn(lambda: runs.migrate(["cp2"]))
        assert (ended.exit_code, ended.outcomes) == (0, {"cp2": "migrated"}), ended.log[-3000:]
        until_none("every member of etcd to be healthy", lambda: _etcd(site), 300)
        back = runs.rollback("cp2")
        here.ran(back)
        assert (back.exit_code, back.outcomes) == (0, {"cp2": "rolled-back"}), back.log[-3000:]
        here.is_back_on_docker()
        until_none("the other two as they were", lambda: _changed(site, others), 300, every=1)
        until_none("every member of etcd to be healthy", lambda: _etcd(site), 300)


@pytest.mark.parametrize("step", ["start_kubelet", "settle"])
def test_another_dies_before_it_goes_back(site: Site, runs: Runs, output: Path, step: str) -> None:
    """Its way back would stop the second of three etcds: it stays, unhealthy; once the other is back, the command
    that was said works."""
    with cell(site, output, "cp2", step, f"after, the power of cp3 cut, {_WHERE}") as here:
        off = ("cp2", step, "after", "kill", "--name", site.name, "cp3")
        ended = runs.migrate(["cp2"], off, timeouts={"api": 30}, ssh={"connect_timeout": 5})
        here.ran(ended)
        is_unhealthy(runs, ended, "cp2")
        assert "cp2 must not go back to Docker now: etcd would lose its quorum: 1 of 3 members" in ended.log
        assert "stop the kubelet" not in ended.log.partition("step=rollback started")[2]
        assert cluster.runtimes(site)["cp2"].startswith("containerd://"), "the API answers, and cp2 is as it was left"
        machine.boot(site.lab, site.lab.machine("cp3"))
        until_none("every member of etcd to be healthy", lambda: _etcd(site), 300)
        back = runs.rollback("cp2")
        assert (back.exit_code, back.outcomes) == (0, {"cp2": "rolled-back"}), back.log[-3000:]
        here.is_back_on_docker()
        here.row["end"] = "unhealthy, its etcd runs; cp3 back and `cri-switch rollback`: back on Docker"


def test_the_next_run_migrates_every_node(site: Site, runs: Runs, output: Path) -> None:
    until_none("the workload to be whole", lambda: whole(site), 300, every=1)
    ended = runs.migrate(["*"])
    row = {"step": "none", "fault": f"the next run, {_WHERE}", "seconds": round(ended.seconds, 1)}
    for node in site.nodes:
        note(output, row | {"node": node, "end": ended.outcomes.get(node, "not chosen")})
    assert ended.exit_code == 0, ended.log[-3000:]
    assert set(ended.outcomes.values()) == {"migrated"}
    assert all(runtime.startswith("containerd://") for runtime in cluster.runtimes(site).values())
    until_none("the workload to be whole", lambda: whole(site), 300, every=1)


def _changed(site: Site, before: dict[str, dict[str, object]]) -> dict[str, object]:
    now = {node: differs(then, in_service(as_it_stands(site, node))) for node, then in before.items()}
    return {node: found for node, found in now.items() if found}


def _etcd(site: Site) -> str:
    """Empty when all three members answer and tell of no error; the program is the static pod's own."""
    pki = "/etc/kubernetes/pki/etcd"
    keys = [f"--cacert={pki}/ca.crt", f"--cert={pki}/server.crt", f"--key={pki}/server.key"]
    words = ["etcdctl", "--endpoints=https://127.0.0.1:2379", *keys, "-w", "json", "endpoint", "status", "--cluster"]
    said = site.kubectl("exec", "-n", "kube-system", "etcd-cp1", "--", *words, check=False)
    members = json.loads(said) if said.startswith("[") else []
    return "" if len(members) == 3 and not any(m["Status"].get("errors") for m in members) else said or "no answer"
