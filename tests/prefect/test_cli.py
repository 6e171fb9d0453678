"""`cri-switch` in this process, with the server that Prefect starts for it: no cluster is there, nothing is touched."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.prefect.conftest import CRI_SWITCH

pytestmark = [pytest.mark.prefect, pytest.mark.timeout(900)]


@pytest.mark.parametrize("command", [["plan"], ["migrate", "--yes", "-o", "json"]])
def test_a_cluster_that_is_not_there(command: list[str], settings: Path, tmp_path: Path) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "XDG_"))}
    done = subprocess.run(
        [*CRI_SWITCH, *command, "-f", str(settings)],
        env={**clean, "HOME": str(tmp_path), "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stderr
    lines = done.stderr.splitlines()
    error = next(number for number, line in enumerate(lines) if line.startswith("error: "))
    assert "no-such-kubeconfig" in lines[error]
    assert lines[error + 1] == "state: nothing was touched"
    assert lines[error + 2].startswith("next: ")
    assert (tmp_path / ".local/state/cri-switch/results").is_dir()


def test_deploy_without_a_server_says_how_to_get_one(settings: Path, tmp_path: Path) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "XDG_"))}
    for url, code, said in (("", 3, "prefect server start"), ("http://127.0.0.1:9/api", 4, "does not answer")):
        done = subprocess.run(
            [*CRI_SWITCH, "deploy", "-f", str(settings)],
            env={**clean, "HOME": str(tmp_path), **({"PREFECT_API_URL": url} if url else {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == code, done.stderr
        assert said in done.stderr
        assert "Traceback" not in done.stderr
