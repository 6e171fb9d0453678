"""What the cluster remembers of a migration, and whether the credentials may do all of it."""

from __future__ import annotations

import json
from typing import Any

from cri_switch.cluster.mark import mark, mark_migrated, marked, unmark
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
