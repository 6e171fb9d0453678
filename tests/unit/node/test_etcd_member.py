"""A control-plane node as it answers itself; the JSON is etcd 3.4's."""

from __future__ import annotations

import re

import pytest

from cri_switch.model.errors import Unreachable
from cri_switch.node.command import Result
from cri_switch.node.etcd_member import ControlPlaneNode, ask_control_plane
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
