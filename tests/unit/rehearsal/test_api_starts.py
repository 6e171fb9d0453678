"""An API server that was just started answers 403, then 500, before it serves."""

from __future__ import annotations

from itertools import groupby

import pytest

from cri_switch.rehearsal.api_reply import Call
from cri_switch.rehearsal.build import ADMIN_TOKEN
from tests.unit.rehearsal.planes import Planes


@pytest.fixture
def planes() -> Planes:
    return Planes(control_planes=1)


def answers(planes: Planes, seconds: float = 20) -> list[tuple[str, int, int]]:
    """The answers in order, each once: curl's on the node, the API's to /readyz and to a list of nodes."""
    seen = []
    for _ in range(int(seconds * 10)):
        code = planes.readyz("cp1")
        health, nodes = (planes.world.api.answer(planes.call("GET", path)) for path in ("/readyz", "/api/v1/nodes"))
        seen.append((code, health.status, nodes.status))
        planes.world.clock.sleep(0.1)
        planes.world.tick()
    return [each for each, _ in groupby(seen)]


def test_it_answers_403_and_500_before_it_serves(planes: Planes) -> None:
    api = planes.world.machines["cp1"].container("kube-apiserver")
    assert api is not None
    planes.world.machines["cp1"].docker.stop_box(api)
    assert answers(planes) == [("000", 0, 0), ("403", 403, 403), ("500", 500, 500), ("200", 200, 200)]


def test_its_words_are_rbacs_and_those_of_its_checks(planes: Planes) -> None:
    machine, world = planes.world.machines["cp1"], planes.world
    api = machine.container("kube-apiserver")
    assert api is not None
    api.started = world.clock.now() - 2.5
    reply = world.api.answer(planes.call("GET", "/api/v1/nodes"))
    assert reply.status == 403
    assert 'User "system:serviceaccount:cri-switch:cri-switch" cannot list resource "nodes"' in reply.body["message"]
    assert world.api.answer(Call("GET", "/api/v1/nodes", authorization=f"Bearer {ADMIN_TOKEN}")).status == 200
    api.started -= 1
    reply = world.api.answer(planes.call("GET", "/readyz"))
    assert "[-]poststarthook/rbac/bootstrap-roles failed: reason withheld" in reply.text
    assert world.api.answer(planes.call("GET", "/api/v1/nodes")).status == 500


def test_the_pipelines_client_rides_over_it(planes: Planes) -> None:
    api = planes.world.machines["cp1"].container("kube-apiserver")
    assert api is not None
    api.started = planes.world.clock.now() - 2
    assert len(planes.cluster.list("Node")) == 2
    assert {403, 500} <= {status for _method, _path, status in planes.world.api.calls}


def test_another_one_that_serves_is_asked_instead() -> None:
    planes = Planes()
    api = planes.world.machines["cp2"].container("kube-apiserver")
    assert api is not None
    planes.world.machines["cp2"].docker.stop_box(api)
    assert {line[1:] for line in answers(planes)} == {(200, 200)}
