"""Prefect's UI in Chromium: the run form of migrate-cluster, filled in and submitted, and the run that it makes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.browser import assert_run_page, chromium, run_form
from tests.support.prefect_server import PrefectServer, ProcessWorker, eventually

pytestmark = [pytest.mark.browser, pytest.mark.timeout(500)]


def test_the_form_starts_a_run(server: PrefectServer, deployed: Callable[[str], str], tmp_path: Path) -> None:
    deployed("form")
    deployment = server.deployment("migrate-cluster/form")
    edits = {"migration.spec.drain.timeout": "77", "migration.spec.cluster.kubeconfig": "/nowhere/kubeconfig"}
    with chromium(tmp_path) as driver, ProcessWorker(server):
        run_id = run_form(driver, server.url, deployment["id"], edits)
        spec = server.flow_run(run_id)["parameters"]["migration"]["spec"]
        assert spec["drain"]["timeout"] == 77
        assert spec["cluster"]["kubeconfig"] == "/nowhere/kubeconfig"
        # No cluster here: it must end before it touches anything, and say so. The one that runs is in tests/e2e.
        eventually(lambda: server.flow_run(run_id)["state_type"] == "FAILED", 300, "the run ends as failed")
        assert_run_page(driver, server.url, run_id, state="Failed", tasks=["discover"])
        assert server.subflows(run_id) == []
