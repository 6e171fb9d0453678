"""A cluster dressed with one of each problem: the whole report of `cri-switch preflight` is compared."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.dress.wardrobe import dressed
from tests.e2e.pipeline import Pipeline
from tests.e2e.site import Site

_D = "dressed"
Row = tuple[str, str, str, str]
DRESSED: list[Row] = [
    ("error", "BarePod", "", f"{_D}/Pod/bare"),
    ("error", "CrictlMissing", "w2", ""),
    ("error", "DockerBinaryMounted", "", f"{_D}/Deployment/program"),
    ("error", "DockerDataMounted", "", f"{_D}/CronJob/cleaner"),
    ("error", "DockerSocketMounted", "", f"{_D}/Deployment/builder"),
    ("error", "DockerSocketMounted", "", f"{_D}/Deployment/claims"),
    ("error", "DockerSocketMounted", "", f"{_D}/Deployment/runner"),
    ("error", "DockerSocketMounted", "", f"{_D}/Rollout/canary"),
    ("error", "DockerSocketMounted", "", f"{_D}/StatefulSet/asleep"),
    ("error", "DockerSocketMounted", "w2", f"{_D}/Pod/static-dressed-w2"),
    ("error", "ForeignContainers", "w1", ""),
    ("error", "KubeletFlagElsewhere", "w2", ""),
    ("error", "KubeletNeedsDocker", "w2", ""),
    ("error", "PackagesPending", "w2", ""),
    ("error", "PdbNeverAllows", "", f"PodDisruptionBudget {_D}/never"),
    ("error", "PdbNeverAllows", "", f"PodDisruptionBudget {_D}/twice"),
    ("error", "PodInSeveralBudgets", "", f"PodDisruptionBudget {_D}/never"),
    ("error", "SudoRuleIncomplete", "w2", ""),
    ("error", "SwarmActive", "w1", ""),
    ("error", "Unreachable", "ghost", ""),
    ("warning", "BatchDoesNotFit", "w1", "batch 2"),  # as without the dress, but the ghost's batch comes first
    ("warning", "BatchDoesNotFit", "w2", "batch 3"),
    ("warning", "DockerConfigMounted", "", f"{_D}/Deployment/settings"),
    ("warning", "DockerInDocker", "", f"{_D}/Deployment/inner"),
    ("warning", "DockerLogsMounted", "", f"{_D}/DaemonSet/fluent-bit"),
    ("warning", "DockerProxyNotCarried", "w1", ""),
    ("warning", "DockerSettingNotCarried", "w2", ""),
    ("warning", "DockerSocketInUse", "w1", ""),
    ("warning", "DockerSocketMounted", "", f"{_D}/Pod/finished"),
    ("warning", "DockerSocketNamed", "", f"{_D}/Deployment/harmless"),  # /srv/docker.sock.d: said, no error
    ("warning", "DuplicateKey", "w2", ""),
    ("warning", "EmptyDirData", "", f"{_D}/Deployment/guarded"),
    ("warning", "FlagsFileLineIgnored", "w2", ""),
    ("warning", "HostPathData", "", f"{_D}/Deployment/guarded"),
    ("warning", "HostUsesDocker", "w1", ""),
    ("warning", "HostUsesDocker", "w2", ""),
    ("warning", "KubeletFlagNotCarried", "w2", ""),
    ("warning", "LiveRestore", "w2", ""),
    ("warning", "LongGracePeriod", "", f"{_D}/Deployment/guarded"),
    ("warning", "PackageHeld", "w1", ""),
    ("warning", "PodFinalizers", "", f"{_D}/Pod/bare"),
    ("warning", "RegistryCertsNotCarried", "w1", ""),
    ("warning", "SingleReplica", "", f"{_D}/Deployment/builder"),
    ("warning", "SingleReplica", "", f"{_D}/Deployment/runner"),
    ("warning", "TwoContainerds", "w1", ""),
]


def _rows(report: dict[str, Any]) -> Counter[Row]:
    return Counter((each["level"], each["name"], each["node"], each["object"]) for each in report["findings"])


def _preflight(pipeline: Pipeline) -> tuple[int, dict[str, Any]]:
    done = pipeline.cri_switch("preflight", "-f", str(pipeline.file), "-o", "json")
    found: dict[str, Any] = json.loads(done.stdout)
    return done.returncode, found


@pytest.fixture(scope="module")
def bare(pipeline: Pipeline) -> Counter[Row]:
    """What is found on the cluster as it stands."""
    code, report = _preflight(pipeline)
    assert code == 0, report
    return _rows(report)


@pytest.fixture(scope="module")
def report(site: Site, pipeline: Pipeline, bare: Counter[Row]) -> Iterator[dict[str, Any]]:
    with dressed(site):
        code, found = _preflight(pipeline)
        assert code == 3, found
        yield found


def test_the_whole_report_is_what_was_dressed_and_nothing_else(report: dict[str, Any], bare: Counter[Row]) -> None:
    found = _rows(report) - bare
    assert sorted(found.elements()) == sorted(DRESSED)


def test_what_is_named_is_named_with_what_helps(report: dict[str, Any]) -> None:
    by_name = {each["name"]: each for each in report["findings"]}
    said = {
        "ForeignContainers": "somebodys",
        "PackageHeld": "docker.io",
        "PackagesPending": "less",
        "SudoRuleIncomplete": "umount",
        "Unreachable": "10.77.0.199",
        "DockerSocketInUse": "curl",
        "PodFinalizers": "site.example/hold",
        "HostPathData": "/srv/guarded",
        "LongGracePeriod": "400 s",
        "PdbNeverAllows": "maxUnavailable 0",
        "DuplicateKey": "/etc/docker/daemon.json:2: live-restore",
        "KubeletFlagElsewhere": "/etc/kubernetes/dressed.env",
    }
    for name, word in said.items():
        assert re.search(re.escape(word), f"{by_name[name]['summary']} {by_name[name]['detail']}"), by_name[name]
    without = {each["name"] for each in report["findings"] if each["level"] == "error" and not each["remedy"]}
    assert without == set()
