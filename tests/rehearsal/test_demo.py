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
from cri_switch.model.steps import STEPS
from cri_switch.rehearsal.faults import FAULTS
from tests.support.terminal import COLOUR, MOVED, on_terminal, plain

SURELY = ("runtime-fails-once", "command-hangs", "disk-fills")
"""Faults that no retry meets: the node goes back first."""
ANYWHERE = "api-errors-on-writes"
"""A fault that any node may meet, and at a place where one more run is not enough."""
PROGRAM = str(Path(sys.executable).with_name("cri-switch"))


def demo(*words: str, home: Path) -> subprocess.CompletedProcess[str]:
    """The command, with settings of the user's own Prefect that it must not meet."""
    environment = {**os.environ, "HOME": str(home), "PREFECT_API_URL": "http://127.0.0.1:9/api", "NO_COLOR": "1"}
    return subprocess.run(
        [PROGRAM, "demo", *words], env=environment, capture_output=True, text=True, timeout=560, check=False
    )


@pytest.fixture(scope="module")
def by_default(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """As `make demo` runs it, without a terminal."""
    return demo(home=tmp_path_factory.mktemp("demo"))


def rows(text: str) -> dict[str, dict[str, str]]:
    """A table's rows by their first cell."""
    head, *lines = [re.split(r"\s{3,}", line) for line in text.splitlines()]
    return {line[0]: dict(zip(head, line, strict=True)) for line in lines}


@pytest.mark.timeout(600)
def test_the_default_ends_with_a_table_of_before_and_after(by_default: subprocess.CompletedProcess[str]) -> None:
    """3 control planes, 8 workers; the simulator's own word (w5 is cordoned as before) would make it fail."""
    assert by_default.returncode == 0, by_default.stderr
    nodes = rows(by_default.stdout.split("\n\n")[0])
    assert list(nodes) == ["cp1", "cp2", "cp3", *(f"w{number}" for number in range(1, 9))]
    assert {name: node["ROLES"] for name, node in nodes.items()} == {
        name: "control-plane" if name.startswith("cp") else "worker" for name in nodes
    }
    done = {name: node for name, node in nodes.items() if node["OUTCOME"] == "migrated"}
    assert nodes.keys() - done.keys() == {"w2"}
    assert (nodes["w2"]["OUTCOME"], nodes["w2"]["REASON"]) == ("skipped", "already on containerd://1.4.13")
    assert {node["BEFORE"] for node in done.values()} == {"docker://20.10.5"}
    assert {node["AFTER"] for node in nodes.values()} == {"containerd://1.4.13"}
    told = {name: node["REASON"] for name, node in done.items() if node["REASON"] != "<none>"}
    assert told == {"w4": "failed once, went back to Docker, and was done again"}
    steps = rows(by_default.stdout.split("\n\n")[1])
    missing = {(name, node) for name, step in steps.items() for node, seconds in step.items() if seconds == "<none>"}
    assert missing == set(), "also of a node whose Docker the second run removed, which the first had switched"
    assert {"remove_docker", *STEPS} <= steps.keys()


@pytest.mark.timeout(600)
def test_the_default_tells_each_step_in_plain_lines(by_default: subprocess.CompletedProcess[str]) -> None:
    lines = by_default.stderr.splitlines()
    steps = [line.split() for line in lines if re.match(r" *[0-9.]+ s  (cp|w)[0-9]", line)]
    assert [step[3] for step in steps if step[2] == "w1"][1:5] == ["cordon", "drain", "stop_kubelet", "stop_docker"]
    assert {step[2] for step in steps} == {"cp1", "cp2", "cp3", "w1", "w3", "w4", "w5", "w6", "w7", "w8"}
    fourth = [" ".join(step[3:5]) for step in steps if step[2] == "w4"]
    assert fourth.index("start_runtime failed:") < fourth.index("rollback started:")
    assert [line.partition("  node/")[2] for line in lines if " uncordon " in line and "w5" in line] == [
        "w5 stays cordoned, as an administrator had left it"
    ]
    assert "w4 failed, as it was meant to" in by_default.stderr
    for hint in (
        "Where to look next:",
        "cri-switch demo --ui",
        "cri-switch plan -f migration.yaml",
        "README.md, docs/",
    ):
        assert hint in by_default.stderr
    assert "\x1b" not in by_default.stdout + by_default.stderr


@pytest.mark.timeout(600)
def test_on_a_terminal_a_table_of_nodes_and_steps_moves(tmp_path: Path) -> None:
    words = ["--nodes", "3", "--control-planes", "1", "--fault", "none", "--speed", "20"]
    environment = {"HOME": str(tmp_path), "NO_COLOR": "1"}
    code, seen = on_terminal([PROGRAM, "demo", *words], environment=environment, seconds=500)
    lines = [line.rstrip() for line in plain(seen)]
    assert code == 0, "\n".join(lines)
    assert MOVED.search(seen), "it is drawn anew in its place"
    assert COLOUR.findall(seen) == [], "NO_COLOR is set"
    assert "migrate-cluster rehearsal" in {line.strip() for line in lines}
    boxed = [line for line in lines if line.startswith(("┃", "│", "┏", "┡", "└", "├"))]
    assert any(line.split()[1::2] == ["NODE", "STEP", "DONE", "SECONDS"] for line in boxed)
    drawn = {(found[1], found[2]) for line in boxed if (found := re.match(r"│ (\w+) +│ (\w+)", line))}
    assert {node for node, _step in drawn} == {"cp1", "w1", "w2"}
    assert len({step for node, step in drawn if node == "w1"}) >= 3, drawn
    assert max(map(len, lines[: lines.index(next(line for line in lines if line.startswith("NAME ")))])) <= 80


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
    steps = [seconds for node in found["nodes"] for seconds in node["steps"].values()]
    assert {type(seconds) for seconds in steps} == {float}
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
    if not FAULTS[fault].mends or (fault == ANYWHERE and done.returncode != 0):
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
    if fault == ANYWHERE:
        return
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
