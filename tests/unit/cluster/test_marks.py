"""What the cluster remembers of a migration, and whether the credentials may do all of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cri_switch.cluster.mark import MIGRATING, mark, mark_migrated, marked, uncordoned_on, unmark
from cri_switch.cluster.rights import NEEDED, check_rights
from cri_switch.cluster.transport import Answer, Request
from tests.unit.cluster.fake_api import FakeApi, add_node, cluster


def test_marks() -> None:
    api = FakeApi()
    ref = add_node(api)
    client = cluster(api)
    node = api.objects["nodes", "", "w1"]
    assert marked(node, "m1") == (False, False)
    mark(client, ref, "m1")
    mark(client, ref, "m1")
    assert marked(node, "m1") == (True, False)
    assert marked(node, "m2") == (False, False)
    mark_migrated(client, ref, "m1")
    assert marked(node, "m1") == (False, True)
    unmark(client, ref)
    unmark(client, ref)
    assert marked(node, "m1") == (False, False)
    assert len(api.writes()) == 3, "nothing is written twice"


@pytest.mark.parametrize(
    ("owner", "runtime", "cordoned", "holds"),
    [
        ("m1", "containerd://1.4.13", False, True),
        ("m1", "containerd://1.4.13", True, False),
        ("m1", "docker://20.10.5", False, False),
        ("m2", "containerd://1.4.13", False, False),
        (None, "containerd://1.4.13", False, False),
    ],
)
def test_who_serves_on_the_new_runtime_already(owner: str | None, runtime: str, cordoned: bool, holds: bool) -> None:
    node = {
        "metadata": {"annotations": {MIGRATING: owner} if owner else {}},
        "spec": {"unschedulable": True} if cordoned else {},
        "status": {"nodeInfo": {"containerRuntimeVersion": runtime}},
    }
    assert uncordoned_on(node, "m1", "containerd") is holds


def test_rights() -> None:
    api = FakeApi()
    denied: set[str] = set()
    asked: list[dict[str, Any]] = []
    listing = {"versions": [{"groupVersion": "authorization.k8s.io/v1"}]}
    reviews = {"name": "selfsubjectaccessreviews", "kind": "SelfSubjectAccessReview", "namespaced": False}

    def review(request: Request) -> Answer | None:
        if request.path == "/apis/authorization.k8s.io":
            return Answer(200, json.dumps(listing))
        if request.path == "/apis/authorization.k8s.io/v1":
            return Answer(200, json.dumps({"resources": [reviews]}))
        if request.path != "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews":
            return None
        wanted = request.body["spec"]["resourceAttributes"]
        asked.append(wanted)
        return Answer(201, json.dumps({"status": {"allowed": wanted["resource"] not in denied}}))

    api.answers.append(review)
    assert check_rights(cluster(api)) == []
    assert len(asked) == len(NEEDED)
    denied = {"poddisruptionbudgets"}
    [finding] = check_rights(cluster(api))
    assert (finding.level, finding.name) == ("error", "MissingRight")
    assert "list poddisruptionbudgets.policy" in finding.summary
