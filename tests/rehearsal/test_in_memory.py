"""The real flow in Prefect's engine on nodes without sockets: `spec.ssh.transport: memory`, for thousands of nodes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

_RUN = """
import sys
from pathlib import Path
from cri_switch.cli.main import run
from cri_switch.rehearsal.build import ClusterSpec
from cri_switch.rehearsal.in_memory import in_memory

directory = Path(sys.argv[1])
settings = {"max_unavailable": "50%", "stage_parallelism": 16, "gate": {"checks": 1}}
with in_memory(ClusterSpec(nodes=5, control_planes=1, replicas=2), directory, settings=settings) as world:
    code = run(["migrate", "-f", str(directory / "migration.yaml"), "--yes", "-o", "json"])
sys.exit(code)
"""


@pytest.mark.timeout(400)
def test_a_cluster_is_migrated_in_memory(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    environment |= {"HOME": str(tmp_path), "PREFECT_HOME": str(tmp_path / "prefect"), "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-c", _RUN, str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=380,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    nodes = json.loads(done.stdout)["nodes"]
    assert {node["name"]: node["outcome"] for node in nodes} == dict.fromkeys(
        ["cp1", "w1", "w2", "w3", "w4"], "migrated"
    )
    assert {node["runtime_after"] for node in nodes} == {"containerd://1.4.13"}
    assert not (tmp_path / "ssh_config").exists()
