"""A control-plane node as it answers itself; the JSON is etcd 3.4's."""

from __future__ import annotations

import json
import re

import pytest

from cri_switch.model.errors import Unreachable
from cri_switch.node.command import Result
from cri_switch.node.etcd_member import ControlPlaneNode, ask_control_plane, lost_without
from cri_switch.node.fake import Answer, ScriptedConnection
from tests.unit.node.facts.test_control_plane import API
from tests.unit.node.helpers import unit_text
from tests.unit.node.test_backup import MANIFEST

STATUS = (
    '[{"Endpoint":"https://127.0.0.1:2379","Status":{"header":{"cluster_id":12102231493559379567,'
    '"member_id":2677674080080550774,"raft_term":3},"version":"3.4.23","dbSize":3338240,'
    '"leader":2677674080080550774%s}}]'
)
MEMBERS = (
    '{"header":{},"members":[{"ID":2677674080080550774,"name":"cp1"},{"ID":9,"name":"cp2"},'
    '{"ID":10,"name":"cp3","isLearner":true}]}'
)


def ask(
    changes: dict[str | re.Pattern[str], Answer], docker: bool = True
) -> tuple[ControlPlaneNode, ScriptedConnection]:
    answers: dict[str | re.Pattern[str], Answer] = {
        "manifests/kube-apiserver.yaml": API,
        "manifests/etcd.yaml": MANIFEST,
        "curl": "200",
        "systemctl show": unit_text("docker.service", "active" if docker else "inactive"),
        "docker ps": "etcdid\n",
        "crictl ps": "criid\n",
        "endpoint health": "https://127.0.0.1:2379 is healthy: successfully committed proposal",
        "endpoint status": STATUS % "",
        "member list": MEMBERS,
    }
    connection = ScriptedConnection("cp1", {**changes, **answers, **changes})
    return ask_control_plane(connection), connection


@pytest.mark.parametrize(
    ("docker", "words"), [(True, "docker exec -e ETCDCTL_API=3 etcdid"), (False, "crictl exec criid")]
)
def test_well_by_either_runtime(docker: bool, words: str) -> None:
    found, connection = ask({}, docker)
    assert found.problems == ()
    assert found.leads is True
    assert found.voters == {2677674080080550774, 9}
    assert any(words in line for line in connection.lines)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"curl": "500"}, "answers 500 at /readyz"),
        ({"curl": ""}, "answers nothing at /readyz"),
        ({"endpoint health": Result(1, "", "is unhealthy: failed to commit proposal")}, "is unhealthy"),
        ({"endpoint status": STATUS % ',"errors":["NOSPACE"]'}, "NOSPACE"),
        ({"endpoint status": "nonsense"}, "not understood"),
        ({"docker ps": "", "crictl ps": ""}, "no running etcd container"),
        ({"kube-apiserver.yaml": Unreachable("cp1 does not answer")}, "does not answer"),
    ],
)
def test_what_is_not_well_is_said(changes: dict[str | re.Pattern[str], Answer], words: str) -> None:
    found, _ = ask(changes)
    assert words in "; ".join(found.problems)


@pytest.mark.parametrize(
    ("changes", "stopped"),
    [
        ({}, False),
        ({"docker ps": "", "crictl ps": ""}, True),
        ({"docker ps": "", "crictl ps": Result(1, "", "sudo: crictl: command not found")}, True),
        ({"docker ps": "", "crictl ps": Unreachable("cp1 does not answer")}, False),
        ({"endpoint health": Result(1, "", "is unhealthy: failed to commit proposal")}, False),
        ({"kube-apiserver.yaml": Unreachable("cp1 does not answer")}, False),
    ],
)
def test_only_a_node_that_answers_is_known_to_run_no_etcd(
    changes: dict[str | re.Pattern[str], Answer], stopped: bool
) -> None:
    found, _ = ask(changes)
    assert found.etcd_stopped is stopped


def test_an_external_etcd_is_nothing_to_lose() -> None:
    found, _ = ask({"manifests/etcd.yaml": Result(1, "", "No such file or directory")})
    assert (found.member, found.problems) == (0, ())


THREE = (
    '{"header":{"member_id":8},"members":[{"ID":8,"name":"cp1"},{"ID":9,"name":"cp2"},{"ID":10,"name":"cp3"},'
    '{"ID":11,"name":"cp4","isLearner":true}]}'
)


def up(*ids: int) -> Result:
    """`endpoint status --cluster`: who does not answer is on stderr, and the exit code is 1."""
    found = [{"Endpoint": f"https://10.0.0.{one}:2379", "Status": {"header": {"member_id": one}}} for one in ids]
    return Result(0 if len(ids) == 4 else 1, json.dumps(found), "")


@pytest.mark.parametrize(
    ("changes", "lost"),
    [
        ({"endpoint status": up(8, 9, 10, 11)}, ""),
        ({"endpoint status": up(8, 9, 10)}, ""),
        ({"endpoint status": up(8, 9, 11)}, "1 of 3 members would be left, 2 must be"),  # a learner does not vote
        ({"endpoint status": up(8, 10)}, "1 of 3 members would be left, 2 must be"),
        ({"endpoint status": up(9, 10)}, ""),  # its own is out of it already
        ({"endpoint status": up(8)}, ""),  # no quorum: nothing to lose
        ({"endpoint status": Result(1, "", "context deadline exceeded")}, ""),
        ({"member list": Result(1, "", "context deadline exceeded"), "endpoint status": up(8, 9)}, ""),
        ({"member list": '{"header":{"member_id":8},"members":[{"ID":8}]}', "endpoint status": up(8)}, ""),
        ({"docker ps": "", "crictl ps": "", "endpoint status": up(8, 9)}, ""),
        ({"manifests/etcd.yaml": Result(1, "", "No such file or directory"), "endpoint status": up(8, 9)}, ""),
    ],
)
@pytest.mark.parametrize("docker", [True, False])
def test_what_stopping_its_member_would_cost(
    changes: dict[str | re.Pattern[str], Answer], lost: str, docker: bool
) -> None:
    _, connection = ask({"member list": THREE, **changes}, docker)
    said = lost_without(connection)
    assert lost in said
    assert bool(said) is bool(lost)
