"""`cri-switch demo` as a user runs it: real sockets, Prefect's own engine, a process for the cluster."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from cri_switch.model.report import Report
from cri_switch.rehearsal.faults import FAULTS

SURELY = ("runtime-fails-once", "command-hangs", "disk-fills")
"""Faults that no retry meets: the node goes back first."""
PROGRAM = str(Path(sys.executable).with_name("cri-switch"))


def demo(*words: str, home: Path) -> subprocess.CompletedProcess[str]:
    """The command, with settings of the user's own Prefect that it must not meet."""
    environment = {**os.environ, "HOME": str(home), "PREFECT_API_URL": "http://127.0.0.1:9/api", "NO_COLOR": "1"}
    return subprocess.run(
        [PROGRAM, "demo", *words], env=environment, capture_output=True, text=True, timeout=560, check=False
    )


@pytest.mark.timeout(600)
def test_a_node_that_fails_once_goes_back_and_is_done_again(tmp_path: Path) -> None:
    done = demo("--nodes", "6", "--control-planes", "1", "-o", "json", home=tmp_path)
    assert done.returncode == 0, done.stderr
    nodes = {node["name"]: node for node in json.loads(done.stdout)["nodes"]}
    assert [name for name in nodes if nodes[name]["outcome"] == "migrated"] == ["cp1", "w1", "w3", "w4", "w5"]
    assert nodes["w2"]["outcome"] == "skipped"
    assert {node["runtime_after"] for node in nodes.values()} == {"containerd://1.4.13"}
    assert {node["runtime_before"] for name, node in nodes.items() if name != "w2"} == {"docker://20.10.5"}
    for name in ("cp1", "w1", "w3", "w4", "w5"):
        assert nodes[name]["out_of_service_seconds"] > 0
        assert {"drain", "stop_docker", "start_kubelet", "verify_node", "settle"} <= nodes[name]["steps"].keys()
    assert "w4 failed, as it was meant to" in done.stderr
    assert list(tmp_path.iterdir()) == []  # nothing of it is left behind


@pytest.mark.timeout(600)
def test_json_has_the_fields_of_migrate_and_nothing_else(tmp_path: Path) -> None:
    done = demo(
        "--nodes", "2", "--control-planes", "1", "--speed", "20", "--fault", "none", "-o", "json", home=tmp_path
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert Report.model_validate(found).model_dump(mode="json") == found
    assert [node["name"] for node in found["nodes"]] == ["cp1", "w1"]
    wanted = {"name", "role", "runtime_before", "runtime_after", "outcome", "out_of_service_seconds", "steps"}
    assert all(wanted <= node.keys() for node in found["nodes"])


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "fault", [pytest.param(name, marks=[] if name == "reboot" else pytest.mark.slow) for name in sorted(FAULTS)]
)
def test_every_fault_by_its_name(fault: str, tmp_path: Path) -> None:
    """One that is over by the second run ends well; of the others the error is told, and no node is left between."""
    done = demo("--nodes", "5", "--control-planes", "1", "--fault", fault, "-o", "json", home=tmp_path)
    assert "the simulated cluster saw what must not be" not in done.stderr
    if not FAULTS[fault].mends:
        assert done.returncode not in (0, 1, 2, 130), done.stderr
        assert "error: " in done.stderr
        assert "next: " in done.stderr
        return
    assert done.returncode == 0, done.stderr
    nodes = {node["name"]: node for node in json.loads(done.stdout)["nodes"]}
    assert {name: node["outcome"] for name, node in nodes.items()} == {
        **dict.fromkeys(["cp1", "w1", "w3", "w4"], "migrated"),
        "w2": "skipped",
    }
    again = {name for name, node in nodes.items() if node["reason"].startswith("failed once")}
    assert again == ({"w4"} if fault in SURELY else again & {"w4"})  # of the others most are met by a wait or a retry


@pytest.mark.timeout(600)
def test_the_ui_stays_until_ctrl_c(tmp_path: Path) -> None:
    words = [PROGRAM, "demo", "--nodes", "2", "--control-planes", "1", "--fault", "none", "--ui"]
    environment = {**os.environ, "HOME": str(tmp_path), "NO_COLOR": "1"}
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        said = ""
        for line in running.stderr:
            said += line
            if "The flow run in Prefect's UI" in line:
                break
        found = re.search(r"(http://127\.0\.0\.1:\d+)/runs/flow-run/([0-9a-f-]{36}) \(Ctrl-C ends it\)", said)
        assert found, said
        run = httpx.get(f"{found[1]}/api/flow_runs/{found[2]}", timeout=60).json()
        assert (run["state_type"], run["name"]) == ("COMPLETED", "rehearsal")
        assert httpx.get(found[1], timeout=60).status_code == 200  # the UI's page
        running.send_signal(signal.SIGINT)
        assert running.wait(120) == 0
        with pytest.raises(httpx.ConnectError):
            httpx.get(found[1], timeout=60)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--fault", "nothing-like-it"), "known are none, api-away"),
        (("--nodes", "2", "--control-planes", "3"), "--nodes counts all nodes"),
        (("--speed", "0"), "--speed 0"),
    ],
)
def test_a_wrong_command_line_starts_nothing(words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    done = demo(*words, home=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
