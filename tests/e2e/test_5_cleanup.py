"""Docker's data: refused while somebody's lie there, deleted at a terminal by the cluster's name."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from cri_switch.cluster.cluster_name import cluster_name
from cri_switch.model.migration import ClusterAccess
from tests.e2e.look import cluster
from tests.e2e.migration import Migrated
from tests.e2e.pipeline import PROGRAM, Pipeline
from tests.e2e.site import Site
from tests.e2e.wait import until_none
from tests.support.terminal import on_terminal, plain

_ROOT = "/var/lib/docker"
_PROMPT = "Type the cluster's name to go on: "


@pytest.fixture(scope="module")
def name(site: Site, pipeline: Pipeline, migrated: Migrated) -> str:
    """The cluster's."""
    return cluster_name(ClusterAccess.model_validate(yaml.safe_load(pipeline.file.read_text())["spec"]["cluster"]))


def _cleanup(pipeline: Pipeline, *words: str) -> tuple[int, dict[str, Any], str]:
    done = pipeline.cri_switch("cleanup", "-f", str(pipeline.file), "-o", "json", *words)
    return done.returncode, json.loads(done.stdout), done.stderr


def _containers(site: Site) -> set[tuple[str, int]]:
    """Every container of the workloads that are to run on, and how often it was started."""
    pods = site.get("pods", "--field-selector=metadata.namespace=lab,status.phase=Running")
    lasting = [pod for pod in pods if all(each["kind"] != "Job" for each in pod["metadata"].get("ownerReferences", []))]
    statuses = [each for pod in lasting for each in pod["status"]["containerStatuses"]]
    return {(each["containerID"], each["restartCount"]) for each in statuses}


def test_somebodys_volume_and_container_are_named_and_nothing_goes(
    site: Site, pipeline: Pipeline, migrated: Migrated, name: str
) -> None:
    worker = site.workers[0]
    volume, container = f"{_ROOT}/volumes/pgdata", f"{_ROOT}/containers/0123"
    site.root(worker, "mkdir", "-p", f"{volume}/_data", container)
    site.write(worker, f"{volume}/_data/PG_VERSION", "13\n")
    site.write(worker, f"{container}/config.v2.json", json.dumps({"Name": "/ci", "Config": {"Labels": {}}}))
    code, found, said = _cleanup(pipeline, "--yes", "--confirm-cluster", name)
    assert code == 3
    assert f"{worker}: volume pgdata has data in {volume}; container ci is not Kubernetes'" in said
    outcomes = {node["name"]: node["outcome"] for node in found["nodes"]}
    assert outcomes == dict.fromkeys(site.nodes, "to-delete") | {worker: "refused"}
    assert all(site.code(node, "test", "-d", _ROOT) == 0 for node in site.nodes)
    site.root(worker, "rm", "-r", volume, container)


def test_by_its_name_typed_at_a_terminal_the_data_go(
    site: Site, pipeline: Pipeline, migrated: Migrated, name: str
) -> None:
    were = _containers(site)
    command = [PROGRAM, "cleanup", "-f", str(pipeline.file)]
    code, seen = on_terminal(
        command, columns=160, environment=pipeline.server.env(), answers={_PROMPT: name}, seconds=200
    )
    assert code == 0, seen
    rows = [line.split()[:3] for line in plain(seen) if line.startswith(tuple(site.nodes))]
    wanted = [[[node, _ROOT, outcome] for node in site.nodes] for outcome in ("to-delete", "deleted")]
    assert rows == [*wanted[0], *wanted[1]]
    assert [node for node in site.nodes if site.code(node, "test", "-e", _ROOT) == 0] == []
    assert _containers(site) == were, "no container noticed"
    until_none("every pod whole", lambda: cluster.not_whole(site), 300, every=1)


def test_once_more_there_is_nothing_left(site: Site, pipeline: Pipeline, name: str) -> None:
    code, found, _ = _cleanup(pipeline, "--yes", "--confirm-cluster", name)
    assert code == 0
    assert {node["name"]: node["outcome"] for node in found["nodes"]} == dict.fromkeys(site.nodes, "gone")
