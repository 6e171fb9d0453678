"""The client against a server in memory, and once over real HTTP with a real kubeconfig."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
import yaml

from cri_switch.cluster.client import Cluster
from cri_switch.cluster.mark import mark
from cri_switch.cluster.retry import Caller
from cri_switch.cluster.rights import unseen_kinds
from cri_switch.cluster.transport import Answer, NotSent, Request
from cri_switch.model.errors import ApiError, SettingsError, Unreachable
from cri_switch.model.migration import ClusterAccess
from tests.unit.cluster.fake_api import Clock, FakeApi, add_node, cluster, over_http, pod, status

TOKEN = "secret-token"


def kubeconfig(path: Path, server: str, token: str = TOKEN) -> ClusterAccess:
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {"token": token}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    path.write_text(yaml.safe_dump(document))
    return ClusterAccess(kubeconfig=str(path))


def test_over_http(tmp_path: Path) -> None:
    api = FakeApi()
    node = add_node(api)
    api.add("pods", pod("web-1"))
    with over_http(api) as server:
        client = Cluster.open(kubeconfig(tmp_path / "k", server))
        assert client.uid() == "cluster-uid"
        assert client.version() == "v1.20.2"
        assert [p["metadata"]["name"] for p in client.list("Pod", fields=f"spec.nodeName={node.name}")] == ["web-1"]
        assert client.get("Node", "nobody") is None
        patched = client.patch("Node", "w1", {"spec": {"unschedulable": True}})
        assert patched["spec"]["unschedulable"] is True
        assert api.requests[-1].content_type == "application/merge-patch+json"
        client.patch("Node", "w1", {"metadata": {}}, kind_of_patch="strategic")
        assert api.requests[-1].content_type == "application/strategic-merge-patch+json"
        client.evict("lab", "web-1", 0)
        assert api.requests[-1].path == "/api/v1/namespaces/lab/pods/web-1/eviction"
        assert client.list("Pod") == []
        assert client.create("Pod", {"metadata": {"name": "p"}, "spec": {}}, namespace="lab")["apiVersion"] == "v1"
        assert client.delete("Pod", "p", "lab", uid="uid-p") is True
        assert client.delete("Pod", "p", "lab") is False
        assert client.raw_get("/readyz") == (200, "ok")


def test_refused_over_http(tmp_path: Path) -> None:
    with over_http(FakeApi()) as server:
        client = Cluster.open(kubeconfig(tmp_path / "k", server, token="wrong")).impatient()
        with pytest.raises(ApiError) as refused:
            client.uid()
    assert (refused.value.status, refused.value.exit_code) == (401, 4)
    assert "deployments/rbac.yaml" in refused.value.next_step
    assert str(tmp_path / "k") in refused.value.next_step
    assert "wrong" not in str(refused.value), "no token in a message"


def test_nobody_listens(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        server = f"http://127.0.0.1:{free.getsockname()[1]}"
        client = Cluster.open(kubeconfig(tmp_path / "k", server)).impatient()
        with pytest.raises(NotSent) as problem:
            client.raw_get("/readyz")
        with pytest.raises(Unreachable):
            client.uid()
    assert problem.value.exit_code == 4
    assert "get --raw /readyz" in problem.value.next_step


@pytest.mark.parametrize("text", [None, "", "{}", "a: [", "just words", "- 1"])
def test_bad_kubeconfig(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "k"
    if text is not None:
        path.write_text(text)
    with pytest.raises(SettingsError, match=str(path)):
        Cluster.open(ClusterAccess(kubeconfig=str(path)))


def test_unknown_context(tmp_path: Path) -> None:
    access = kubeconfig(tmp_path / "k", "http://127.0.0.1:1").model_copy(update={"context": "other"})
    with pytest.raises(SettingsError, match="other"):
        Cluster.open(access)


@pytest.mark.parametrize(
    ("version", "kind", "path"),
    [
        ("1.20", "PodDisruptionBudget", "/apis/policy/v1beta1/poddisruptionbudgets"),
        ("1.25", "PodDisruptionBudget", "/apis/policy/v1/poddisruptionbudgets"),
        ("1.20", "CronJob", "/apis/batch/v1beta1/cronjobs"),
        ("1.25", "CronJob", "/apis/batch/v1/cronjobs"),
        ("1.20", "Job", "/apis/batch/v1/jobs"),
    ],
)
def test_discovery(version: str, kind: str, path: str) -> None:
    api = FakeApi(version)
    assert cluster(api).list(kind) == []
    assert api.requests[-1].path == path


@pytest.mark.parametrize("version", ["1.20", "1.25"])
def test_eviction_version(version: str) -> None:
    api = FakeApi(version)
    api.add("pods", pod("a"))
    cluster(api).evict("lab", "a", 7, dry_run=True)
    body = api.requests[-1].body
    assert body["apiVersion"] == ("policy/v1beta1" if version == "1.20" else "policy/v1")
    assert body["deleteOptions"] == {"gracePeriodSeconds": 7, "dryRun": ["All"]}


@pytest.mark.parametrize("kind", ["Lease", "CronJob", "Widget.example.com"])
def test_a_kind_that_is_not_served_is_never_none(kind: str) -> None:
    api = FakeApi()
    api.served = {"v1": FakeApi().served["v1"], "batch/v1": FakeApi().served["batch/v1"]}
    with pytest.raises(ApiError):
        cluster(api).list(kind)
    with pytest.raises(ApiError):
        cluster(api).get(kind, "x", "lab")


def test_a_404_that_is_not_about_the_object_is_an_error() -> None:
    api = FakeApi()
    client = cluster(api)
    client.list("Pod")
    api.answers.append(lambda r: Answer(404, "404 page not found"))
    with pytest.raises(ApiError):
        client.get("Pod", "x", "lab")


def test_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cri_switch.cluster.client._PAGE", 2)
    api = FakeApi()
    for n in range(5):
        api.add("pods", pod(f"p{n}"))
    found = cluster(api).list("Pod", namespace="lab")
    assert [p["metadata"]["name"] for p in found] == [f"p{n}" for n in range(5)]
    assert {(p["apiVersion"], p["kind"]) for p in found} == {("v1", "Pod")}

    def expired(request: Request) -> Answer | None:
        return status(410, "Expired", "too old") if dict(request.query).get("continue") == "2" else None

    api.answers.append(expired)
    assert len(cluster(api).list("Pod")) == 5, "an expired continue token starts the listing again, whole"


class Scripted:
    """Answers in turn; an exception is raised."""

    def __init__(self, *answers: Answer | Exception) -> None:
        self.answers = list(answers)

    def __call__(self, request: Request) -> Answer:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


GOOD = Answer(200, "{}")
RBAC_403 = status(403, "Forbidden", 'nodes is forbidden: User "x" cannot list resource "nodes"')
LOST = Unreachable("read timed out")


@pytest.mark.parametrize(
    ("method", "first", "again"),
    [
        ("GET", NotSent("refused"), True),
        ("GET", LOST, True),
        ("GET", Answer(500, "boom"), True),
        ("GET", Answer(503, ""), True),
        ("GET", Answer(429, ""), True),
        ("GET", status(404, "NotFound", "no"), False),
        ("GET", RBAC_403, True),
        ("PATCH", RBAC_403, True),
        ("POST", status(403, "Forbidden", "denied by a webhook"), False),
        ("PATCH", NotSent("refused"), True),
        ("PATCH", Answer(429, ""), True),
        ("PATCH", LOST, False),
        ("PATCH", Answer(500, "boom"), False),
        ("PATCH", status(409, "Conflict", "changed"), False),
    ],
)
def test_what_is_sent_again(method: str, first: Answer | Exception, again: bool) -> None:
    clock = Clock()
    script = Scripted(first, GOOD)
    caller = Caller(script, sleep=clock.sleep, clock=clock)
    manner = "read" if method == "GET" else "mutation"
    if again:
        assert caller.call(Request(method, "/x"), manner) == {}  # type: ignore[arg-type]
    else:
        with pytest.raises((ApiError, Unreachable)):
            caller.call(Request(method, "/x"), manner)  # type: ignore[arg-type]
        assert script.answers == [GOOD]


@pytest.mark.parametrize("first", [LOST, Answer(500, "boom"), Answer(503, ""), NotSent("refused")])
def test_a_change_that_may_be_sent_twice_is_sent_again_as_a_read(first: Answer | Exception) -> None:
    clock = Clock()
    caller = Caller(Scripted(first, GOOD), sleep=clock.sleep, clock=clock)
    assert caller.call(Request("PATCH", "/x"), "repeatable") == {}
    caller = Caller(Scripted(status(409, "Conflict", "changed"), GOOD), sleep=clock.sleep, clock=clock)
    with pytest.raises(ApiError):
        caller.call(Request("PATCH", "/x"), "repeatable")
    caller = Caller(Scripted(*[Answer(500, "boom")] * 1000), sleep=clock.sleep, clock=clock)
    with pytest.raises(Unreachable, match="500: boom"):
        caller.call(Request("PATCH", "/x"), "repeatable")


def _once(method: str, path: str, answer: Answer, *, done: bool = False) -> tuple[FakeApi, list[int]]:
    """An API that answers so to the first such request; `done`: it carries it out all the same."""
    api, met = FakeApi(), list[int]()

    def fails(request: Request) -> Answer | None:
        if met or request.method != method or path not in request.path:
            return None
        met.append(1)
        if done:
            api(request)
        return answer

    api.answers.append(fails)
    return api, met


@pytest.mark.parametrize("done", [False, True])
def test_an_annotation_is_written_through_a_500(done: bool) -> None:
    """Carried out or not: what is sent again has the version that was read, so it is refused and read anew."""
    api, met = _once("PATCH", "/nodes/w1", Answer(500, "etcdserver: request timed out"), done=done)
    node = add_node(api)
    mark(cluster(api), node, "m")
    assert met
    assert api.objects["nodes", "", "w1"]["metadata"]["annotations"]["cri-switch.io/migrating"] == "m"


def test_a_review_is_asked_again_and_asked_for_in_a_dry_run_too() -> None:
    api, met = _once("POST", "selfsubjectaccessreviews", Answer(503, ""))
    reviews = {"selfsubjectaccessreviews": ("SelfSubjectAccessReview", False)}
    api.served = {**api.served, "authorization.k8s.io/v1": reviews}
    allowed = Answer(201, json.dumps({"status": {"allowed": True}}))
    api.answers.append(lambda request: allowed if request.path.endswith("reviews") else None)
    client = cluster(api)
    client.dry_run = True
    assert unseen_kinds(client) == []
    assert met
    assert not any(dict(request.query).get("dryRun") for request in api.requests)


@pytest.mark.parametrize("done", [False, True])
def test_a_pod_is_deleted_through_a_500(done: bool) -> None:
    """Carried out or not: it is gone, and that is what was asked for."""
    api, met = _once("DELETE", "/pods/a", Answer(500, "boom"), done=done)
    cluster(api).create("Pod", pod("a"), namespace="lab")
    assert cluster(api).delete("Pod", "a", "lab") is not done
    assert (met, [key for key in api.objects if key[0] == "pods"]) == ([1], [])


def test_a_pod_is_not_created_again() -> None:
    api, met = _once("POST", "/pods", Answer(500, "boom"))
    with pytest.raises(ApiError) as caught:
        cluster(api).create("Pod", pod("a"), namespace="lab")
    assert (caught.value.status, met, len(api.writes())) == (500, [1], 1)


def test_a_starting_server_that_does_not_know_us_yet() -> None:
    clock = Clock()
    caller = Caller(Scripted(RBAC_403, status(401, "Unauthorized", "no"), GOOD), sleep=clock.sleep, clock=clock)
    assert caller.call(Request("GET", "/x")) == {}
    caller = Caller(Scripted(*[RBAC_403] * 100), sleep=clock.sleep, clock=clock)
    before = clock()
    with pytest.raises(ApiError):
        caller.call(Request("GET", "/x"))
    assert 4 < clock() - before < 8


@pytest.mark.parametrize("away", [5, 12])
def test_a_server_that_was_away_before_it_starts(away: int) -> None:
    """Its 403s, and the 500s after them, are not paid for with the seconds in which nothing answered."""
    clock = Clock()
    starts = [NotSent("refused")] * away + [RBAC_403] * 2 + [Answer(500, "etcdserver: leader changed")] * 2
    caller = Caller(Scripted(*starts, GOOD), sleep=clock.sleep, clock=clock)
    assert caller.call(Request("GET", "/x")) == {}
    caller = Caller(Scripted(*[NotSent("refused")] * away, *[RBAC_403] * 100), sleep=clock.sleep, clock=clock)
    with pytest.raises(ApiError):
        caller.call(Request("GET", "/x"))


def test_patience_ends() -> None:
    clock = Clock()
    caller = Caller(Scripted(*[Answer(503, "no")] * 1000), sleep=clock.sleep, clock=clock, patience=20)
    with pytest.raises(Unreachable, match="503"):
        caller.call(Request("GET", "/x"))
    assert 15 < clock() - 1000 <= 20
    assert max(clock.slept) <= 2


def test_an_eviction_is_sent_once() -> None:
    api = FakeApi()
    api.add("pods", pod("a"))
    client = cluster(api)
    client.list("Pod")
    api.answers.append(lambda r: status(429, "TooManyRequests", "budget") if r.method == "POST" else None)
    with pytest.raises(ApiError) as refused:
        client.evict("lab", "a")
    assert refused.value.status == 429
    assert len(api.writes()) == 1


def test_something_else_answers() -> None:
    with pytest.raises(ApiError, match="not JSON"):
        Caller(Scripted(Answer(200, "<html>"))).call(Request("GET", "/x"))


def test_causes_are_kept() -> None:
    details = {"causes": [{"reason": "NamespaceTerminating", "message": "lab is going"}]}
    answer = Answer(403, json.dumps({"kind": "Status", "reason": "Forbidden", "message": "m", "details": details}))
    with pytest.raises(ApiError) as refused:
        Caller(Scripted(answer)).call(Request("POST", "/x"), "once")
    assert refused.value.causes == ("NamespaceTerminating: lab is going",)
