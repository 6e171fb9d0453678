from __future__ import annotations

from cri_switch.model.finding import Finding
from cri_switch.render.findings import IGNORE, finding_lines, findings_text


def warn(node: str, text: str = "Docker is not running", name: str = "DockerNotActive") -> Finding:
    return Finding("warning", name, f"{node}: {text}", node=node, remedy="start it")


def error(node: str) -> Finding:
    return Finding("error", "FlagsFileMissing", f"{node}: /x is missing", node=node, remedy="name it")


def test_nothing() -> None:
    assert findings_text([]) == "[preflight] Nothing found."


def test_warnings_alone() -> None:
    assert findings_text([warn("w1")]).splitlines()[0] == "[preflight] 1 warning:"
    assert findings_text([warn("w1"), warn("w2")]).splitlines()[0] == "[preflight] 2 warnings:"
    assert IGNORE not in findings_text([warn("w1")])


def test_kubeadms_form_errors_last() -> None:
    assert findings_text([error("w1"), warn("w1")]).splitlines() == [
        "[preflight] Some fatal errors occurred:",
        "\t[WARNING DockerNotActive]: w1: Docker is not running",
        "\t\tfix: start it",
        "\t[ERROR FlagsFileMissing]: w1: /x is missing",
        "\t\tfix: name it",
        IGNORE,
    ]


def test_one_warning_on_several_nodes_is_one_line() -> None:
    lines = finding_lines([warn("w2"), warn("w1"), warn("w1", "other")])
    assert [line for line in lines if "fix:" not in line] == [
        "\t[WARNING DockerNotActive]: w1, w2: Docker is not running",
        "\t[WARNING DockerNotActive]: w1: other",
    ]


def test_an_error_on_a_few_nodes_is_a_line_each() -> None:
    assert sum("ERROR" in line for line in finding_lines([error("w1"), error("w2"), error("w3")])) == 3


def test_an_error_on_many_nodes_is_one_line() -> None:
    lines = finding_lines([error(f"w{number}") for number in range(9)])
    assert lines[0] == "\t[ERROR FlagsFileMissing]: w0, w1, w2, w3, w4, and 4 more: /x is missing"


def test_many_like_warnings_are_cut_short_and_errors_never() -> None:
    owners = [f"ns/Deployment/{number:02d}" for number in range(40)]
    found = [Finding("warning", "SingleReplica", f"{each} has one", object=each, remedy="two") for each in owners]
    lines = finding_lines(found)
    assert len(lines) < 12
    assert "the same for 36 more: ns/Deployment/04" in lines[-1]
    errors = [Finding("error", "BarePod", f"{each} is bare", object=each, remedy="r") for each in owners]
    assert sum("[ERROR" in line for line in finding_lines(errors)) == 40
