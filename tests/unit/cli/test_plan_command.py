"""What `cri-switch plan --out` says of the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from cri_switch.cli.commands import plan as module
from cri_switch.cli.saved_plan import read_plan
from cri_switch.model.errors import PreflightError
from cri_switch.model.finding import Finding
from tests.unit.cli.test_plan_text import planned


def run(monkeypatch: pytest.MonkeyPatch, out: Path, *findings: Finding) -> None:
    monkeypatch.setattr(module, "load_migration", lambda _file: planned().settings)
    monkeypatch.setattr(
        module, "planned", lambda _m, _d, command, mended, **_: planned(findings=findings, next_command=mended)
    )
    module.plan(file="prod.yaml", out=out)


def test_saved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(monkeypatch, tmp_path / "p", Finding("warning", "LiveRestore", "w1: live-restore is on"))
    assert read_plan(tmp_path / "p").todo == planned().todo
    assert f"Saved in {tmp_path / 'p'}" in capsys.readouterr().err


def test_not_saved_and_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(PreflightError, match="SwarmActive") as caught:
        run(monkeypatch, tmp_path / "p", Finding("error", "SwarmActive", "w1: swarm"))
    assert not (tmp_path / "p").exists()
    assert f"Not saved in {tmp_path / 'p'}" in capsys.readouterr().err
    assert caught.value.next_step == "mend what is named, then: cri-switch preflight -f prod.yaml"
