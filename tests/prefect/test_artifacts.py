"""A plan and a dry run leave their artifacts on a real server, as the UI shows them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.prefect_server import PrefectServer
from tests.support.rehearsed import rehearsed

pytestmark = [pytest.mark.prefect, pytest.mark.timeout(600)]


def test_what_was_looked_at_is_in_the_ui(server: PrefectServer, tmp_path: Path) -> None:
    with rehearsed(server, tmp_path, nodes=2, control_planes=1, replicas=1, speed=10) as cluster:
        file = str(cluster.settings("looked"))
        assert cluster.run("plan", "-f", file, "--diff").returncode == 0
        found = pages(server)
        assert found.keys() == {"preflight-looked", "plan-looked", "diff-looked"}
        assert "- `WARNING SingleControlPlane` " in found["preflight-looked"]
        assert {row["NAME"]: row["ACTION"] for row in json.loads(found["plan-looked"])} == {
            "w1": "migrate",
            "cp1": "migrate",
        }
        assert "## /var/lib/kubelet/kubeadm-flags.env on " in found["diff-looked"]

        done = cluster.run("migrate", "-f", file, "--dry-run")
        assert done.returncode == 0, done.stderr
        assert pages(server).keys() == {*found, "report-looked"}
        assert "| untouched |" in pages(server)["report-looked"]


def pages(server: PrefectServer) -> dict[str, Any]:
    """Key -> the newest content."""
    body = {"artifacts": {"key": {"like_": "%-looked"}}, "sort": "CREATED_DESC"}
    answer: list[dict[str, Any]] = server.ask("POST", "/artifacts/filter", body)
    return {each["key"]: each["data"] for each in reversed(answer)}
