"""The server of `demo`: an error says whether it ended or did not answer."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from cri_switch.cli import prefect_server
from cri_switch.cli.prefect_server import LocalServer
from cri_switch.model.errors import Unreachable


@pytest.mark.parametrize(
    ("program", "seconds", "words"),
    [
        ("print('port in use', flush=True)", 60.0, "ended when it started:\nport in use"),
        ("import time; print('starting', flush=True); time.sleep(600)", 1.0, "did not answer within 1 s:\n"),
    ],
)
def test_it_does_not_come_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, seconds: float, words: str
) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{program}"\n')
    python.chmod(0o755)
    monkeypatch.setattr(prefect_server, "_START_SECONDS", seconds)
    monkeypatch.setattr(sys, "executable", str(python))
    with LocalServer(tmp_path, ui=False) as server:
        process = server._process
        with pytest.raises(Unreachable, match=f"^Prefect's server {words}"):
            server.wait_up()
    assert process is not None and process.poll() is not None, "nothing of it is left"
