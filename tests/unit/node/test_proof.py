from __future__ import annotations

import json
import re

import pytest

from cri_switch.model.errors import NotProven, RemoteCommandFailed
from cri_switch.node.action import perform
from cri_switch.node.actions.release_addresses import release_addresses
from cri_switch.node.command import Result
from cri_switch.node.fake import Answer, ScriptedConnection
from cri_switch.node.proof import prove_runtime, under_kubepods
from tests.unit.node.actions.machine import migration

LIVE, DEAD = "a" * 64, "d" * 64
PROXY = {
    "metadata": {"name": "kube-proxy", "attempt": 0},
    "id": "c1",
    "podSandboxId": LIVE,
    "state": "CONTAINER_RUNNING",
}
LABELS = {"io.kubernetes.pod.namespace": "kube-system", "io.kubernetes.pod.name": "kube-proxy-x"}
INSPECT = json.dumps({"status": {}, "info": {"pid": 4711}})
META = {"name": "kube-proxy-x", "namespace": "kube-system", "uid": "u"}
PODS = json.dumps({"items": [{"id": LIVE, "metadata": META, "state": "SANDBOX_READY"}]})
V1 = "11:name=systemd:/system.slice\n8:memory:{0}\n4:cpu,cpuacct:{0}\n0::/system.slice/containerd.service\n"
RIGHT = "/kubepods/besteffort/pod1/c1"
WRONG = "/system.slice/containerd.service/kubepods-besteffort-pod1.slice:cri-containerd:c1"
HELD = f"/var/lib/cni/networks/lab/10.244.2.2:{LIVE}\n/var/lib/cni/networks/lab/last_reserved_ip.0:10.244.2.7\n"
LEAKED = f"/var/lib/cni/networks/lab/10.244.2.9:{DEAD}\n"
DNAT = f'-A CNI-HOSTPORT-DNAT -p tcp -m comment --comment "dnat name: \\"lab\\" id: \\"{DEAD}\\"" -j CNI-DN-1\n'


def ps(*changes: dict[str, str]) -> str:
    """The answer of crictl ps: kube-proxy's container once for each of the changes."""
    return json.dumps({"containers": [PROXY | {"labels": LABELS, "image": {"image": "sha256:1"}} | c for c in changes]})


def node(**changes: Answer) -> ScriptedConnection:
    answers: dict[str, Answer] = {
        "iptables-save": f"*nat\n{DNAT.replace(DEAD, LIVE)}COMMIT\n",
        "networks": HELD,
        "ps -o json": ps({}),
        "pods -o json": PODS,
        "inspect": INSPECT,
        "/proc/4711/cgroup": V1.format(RIGHT),
        "pgrep": Result(1, ""),
        "ctr --version": "ctr",
        "ctr -n moby": "",
    }
    names = {
        "rules": "iptables-save",
        "containers": "ps -o json",
        "inspect": "inspect",
        "held": "networks",
        "cgroup": "/proc/4711/cgroup",
        "shims": "pgrep",
        "tasks": "ctr -n moby",
    }
    connection = ScriptedConnection("w1", {})
    connection.answers.update(answers | {names[name]: answer for name, answer in changes.items()})
    return connection


def test_a_node_that_is_well_is_proven() -> None:
    assert prove_runtime(node()).startswith("1 pods run on unix:///run/containerd")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"cgroup": V1.format(WRONG)}, "not under kubepods: its cgroup is /system.slice"),
        ({"held": HELD + LEAKED}, "address 10.244.2.9 is held for a sandbox that is gone"),
        ({"rules": f"*nat\n{DNAT}COMMIT\n"}, "chain CNI-HOSTPORT-DNAT still has a rule of sandbox dddddddddddd"),
        ({"tasks": "abc\n"}, "1 tasks of Docker's run"),
        ({"shims": "9 /usr/bin/containerd-shim -namespace moby -workdir /x\n"}, "1 containers of Docker's run"),
        ({"containers": ps()}, "no container runs on unix:///run/containerd/containerd.sock"),
        ({"containers": ps({"state": "CONTAINER_EXITED"})}, "no container runs on"),
        (
            {"inspect": '{"status": {}}'},
            "container kube-proxy of kube-system/kube-proxy-x: its cgroup could not be seen",
        ),
        (
            {"cgroup": Result(1, "", "cat: /proc/4711/cgroup: No such file or directory")},
            "its cgroup could not be seen",
        ),
    ],
)
def test_what_is_amiss_is_said(changes: dict[str, Answer], said: str) -> None:
    with pytest.raises(NotProven) as caught:
        prove_runtime(node(**changes), seconds=1e-9)
    assert said in caught.value.what


def test_it_asks_again_before_it_believes() -> None:
    looks = iter([HELD + LEAKED, HELD])
    slept: list[float] = []
    prove_runtime(node(held=lambda _c: Result(0, next(looks))), seconds=30, sleep=slept.append)
    assert len(slept) == 1


def test_every_container_is_judged() -> None:
    wrong: dict[str | re.Pattern[str], Answer] = {
        "inspect -o json c7": INSPECT.replace("4711", "4712"),
        "/proc/4712/cgroup": V1.format(WRONG),
    }
    many = [{"id": f"c{number}"} for number in range(9)]
    connection = node(containers=ps(*many))
    connection.answers = {**wrong, **connection.answers}
    with pytest.raises(NotProven, match="container kube-proxy of kube-system/kube-proxy-x is not under"):
        prove_runtime(connection, seconds=1e-9)


@pytest.mark.parametrize(
    "said",
    [
        'getting the status of the container "c2" failed: rpc error: code = NotFound desc = an error occurred when try'
        ' to find container "c2": not found',
        'rpc error: code = Unknown desc = an error occurred when try to find container "c2": does not exist',
    ],
)
def test_a_container_that_ended_meanwhile_is_no_failure(said: str) -> None:
    listed = iter([ps({}, {"id": "c2"}), ps({})])
    connection = node(containers=lambda _c: Result(0, next(listed)))
    gone = Result(1, "", f"level=fatal msg={said}")
    connection.answers = {"inspect -o json c2": gone, **connection.answers}
    slept: list[float] = []
    prove_runtime(connection, sleep=slept.append)
    assert slept == []


def test_a_runtime_that_does_not_say_is_a_failure() -> None:
    with pytest.raises(RemoteCommandFailed, match="connection refused"):
        prove_runtime(node(inspect=Result(1, "", "connection refused")))


@pytest.mark.parametrize(
    ("path", "under"),
    [
        (RIGHT, True),
        ("/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/cri-containerd-c1.scope", True),
        ("/lab/kubepods/pod1/c1", True),
        (WRONG, False),
        ("/system.slice/containerd.service/kubepods/pod1/c1", False),
        ("/", False),
    ],
)
def test_under_kubepods(path: str, under: bool) -> None:
    assert under_kubepods([path]) is under


@pytest.mark.parametrize(
    ("held", "written", "gone"),
    [
        (HELD, "", []),
        (HELD + LEAKED, "100.5", ["10.244.2.9"]),
        (HELD + LEAKED, "1795461453.1", []),  # newer than the kubelet: a sandbox that is being made
        ("", "", []),
    ],
)
def test_only_addresses_of_sandboxes_long_gone_are_released(held: str, written: str, gone: list[str]) -> None:
    path = "/var/lib/cni/networks/lab/10.244.2.9"
    connection = ScriptedConnection(
        "w1",
        {
            "grep -r -H -m 1 . -- /var/lib/cni/networks": held,
            "results": Result(2, "", "grep: /var/lib/cni/results: No such file or directory"),
            "pods -o json": PODS,
            "ExecMainStartTimestamp": "ExecMainStartTimestamp=Mon 2026-11-23 19:17:33 UTC\n",
            "stat": f"{written} {path}\n",
            "rm -f": "",
        },
    )
    done = perform(connection, release_addresses(migration()))
    assert [line.rpartition("/")[2] for line in connection.lines if line.startswith("rm")] == gone
    assert done.changed == len(gone)
