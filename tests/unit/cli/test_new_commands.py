"""What status, facts, cleanup and migrate --plan refuse before anything is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from cri_switch.cli.main import run

SETTINGS = (
    "apiVersion: cri-switch/v1alpha1\nkind: Migration\nmetadata: {name: m}\n"
    "spec: {cluster: {kubeconfig: nosuch}, backup: {directory: b}}\n"
)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["migrate"], 2, "--plan FILE"),
        (["migrate", "--plan", "FILE", "--limit", "w1"], 2, "goes without flags that choose"),
        (["migrate", "--plan", "/nosuch/plan.json", "--yes"], 3, "cannot read the plan"),
        (["cleanup", "-f", "FILE", "--yes"], 2, "--confirm-cluster NAME"),
        (["cleanup", "-f", "FILE", "--ramp", "1,2"], 2, "--ramp"),
        (["status"], 2, "--file"),
        (["status", "-f", "FILE"], 3, "nosuch"),
        (["facts", "w1", "-f", "FILE"], 3, "nosuch"),
    ],
)
def test_refused(words: list[str], code: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "m.yaml"
    file.write_text(SETTINGS)
    assert run([str(file) if word == "FILE" else word for word in words]) == code
    out, err = capsys.readouterr()
    assert said in err
    assert out == ""
    assert "Traceback" not in err
