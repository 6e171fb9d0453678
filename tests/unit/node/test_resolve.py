from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from cri_switch.model.migration import Ssh
from cri_switch.model.node_ref import NodeRef
from cri_switch.node.resolve import resolve

CONFIG = """Host named
  HostName 10.9.9.9
  Port 2200
  User ops
  UserKnownHostsFile /kh
Host half
  User half
Host *
  User all
"""


@pytest.fixture(params=["ssh", "paramiko"])
def config(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "config").write_text(CONFIG)
    if request.param == "paramiko":

        def missing(*_words: object, **_more: object) -> None:
            raise FileNotFoundError("ssh")

        monkeypatch.setattr(subprocess, "run", missing)
    return str(tmp_path / "config")


@pytest.mark.parametrize(
    ("name", "host", "port", "user"),
    [("named", "10.9.9.9", 2200, "ops"), ("half", "10.0.0.5", 22, "half"), ("unnamed", "10.0.0.5", 22, "all")],
)
def test_a_name_that_resolves_to_itself_means_the_address(
    config: str, name: str, host: str, port: int, user: str
) -> None:
    found = resolve(NodeRef(name=name, uid="u", address="10.0.0.5"), Ssh(config_file=config))
    assert (found.hostname, found.port, found.user) == (host, port, user)


def test_settings_win(config: str) -> None:
    ssh = Ssh(config_file=config, user="me", port=7, identity_file="/key", known_hosts="/mine")
    found = resolve(NodeRef(name="named", uid="u"), ssh)
    assert (found.user, found.port, found.identity_files, found.known_hosts) == ("me", 7, ("/key",), ("/mine",))
