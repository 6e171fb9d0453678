"""A cluster dressed with one of each problem: the whole report of `cri-switch preflight` is compared.

Three reports: of the cluster as it stands, of one whose machines and workloads have problems, and by settings and
credentials that do. tests/unit/checks/test_every_finding_is_shown.py sees that no finding is forgotten.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.dress.bare import as_it_stands
from tests.e2e.dress.rows import AT_ODDS, BARE, DRESSED, Row
from tests.e2e.dress.wardrobe import MACHINE_ID, dressed
from tests.e2e.dress.ways import at_odds
from tests.e2e.pipeline import Pipeline
from tests.e2e.site import Site

Findings = list[dict[str, Any]]


@dataclass(frozen=True)
class Reports:
    """What was found, and how the cluster stood before the first dress and after the last."""

    bare: Findings
    dressed: Findings
    at_odds: Findings
    before: Mapping[str, list[str]]
    after: Mapping[str, list[str]]


def _preflight(pipeline: Pipeline, file: Path, code: int) -> Findings:
    done = pipeline.cri_switch("preflight", "-f", str(file), "-o", "json")
    assert done.returncode == code, f"{done.stdout}{done.stderr}"
    found: Findings = json.loads(done.stdout)["findings"]
    return found


@pytest.fixture(scope="module")
def reports(site: Site, pipeline: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> Reports:
    before = as_it_stands(site)
    bare = _preflight(pipeline, pipeline.file, 0)
    with dressed(site):
        worn = _preflight(pipeline, pipeline.file, 3)
    with at_odds(site, tmp_path_factory.mktemp("at-odds")) as file:
        odd = _preflight(pipeline, file, 3)
    return Reports(bare, worn, odd, before, as_it_stands(site))


def _rows(findings: Findings) -> list[Row]:
    return sorted((each["level"], each["name"], each["node"], each["object"]) for each in findings)


def test_a_cluster_as_it_stands_has_few_findings(reports: Reports) -> None:
    assert _rows(reports.bare) == sorted(BARE)


def test_the_whole_report_is_what_was_dressed_and_nothing_else(reports: Reports) -> None:
    expected = [row for row in DRESSED if MACHINE_ID or row[1] != "OrchestratorOnNode"]
    assert _rows(reports.dressed) == sorted(expected)


def test_so_is_the_report_by_settings_and_rights_that_are_wrong(reports: Reports) -> None:
    assert _rows(reports.at_odds) == sorted(AT_ODDS)


def test_undressed_it_stands_as_before(reports: Reports) -> None:
    assert reports.after == reports.before


def test_what_is_named_is_named_with_what_helps(reports: Reports) -> None:
    findings = [*reports.dressed, *reports.at_odds]
    by_name = {each["name"]: each for each in reversed(findings)}
    said = {
        "ForeignContainers": ": somebodys",
        "EtcdInDocker": "etcd1",
        "PackageHeld": "docker.io",
        "PackagesPending": "less",
        "InstallRemovesPackages": "iputils-ping",
        "SudoRuleIncomplete": "umount",
        "Unreachable": "10.77.0.199",
        "DockerSocketInUse": "curl",
        "PodFinalizers": "site.example/hold",
        "HostPathData": "/srv/guarded",
        "LongGracePeriod": "400 s",
        "PdbNeverAllows": "maxUnavailable 0",
        "DuplicateKey": "/etc/docker/daemon.json:2: live-restore",
        "KubeletFlagElsewhere": "/etc/kubernetes/dressed.env",
        "FileNotUnderstood": "/etc/crictl.yaml:",
        "FlagsFileUnreadable": "/var/lib/kubelet/kubeadm-flags.env:1",
        "FlagsFileMissing": "/etc/kubernetes/nowhere.env",
        "CertificateExpired": "/etc/kubernetes/pki/etcd/healthcheck-client.crt",
        "CertificateExpires": "/etc/kubernetes/pki/dressed.crt",
        "ClockSkew": "ahead",
        "TiedToCordonedNode": "dressed/tied-",
        "LoginRefused": "nobody@",
        "TemplatesNotChecked": "CronJob",
        "MissingRight": "patch daemonsets.apps none in nobody",
        "InventoryMismatch": "lost, moved, odd, old, stranger",
    }
    for name, word in said.items():
        assert re.search(re.escape(word), f"{by_name[name]['summary']} {by_name[name]['detail']}"), by_name[name]
    assert not [each for each in findings if "hunter2" in json.dumps(each)]


def test_an_error_says_what_helps(reports: Reports) -> None:
    findings = [*reports.dressed, *reports.at_odds]
    without = {each["name"] for each in findings if each["level"] == "error" and not each["remedy"]}
    assert without == set()
