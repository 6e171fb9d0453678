"""A rehearsal in a process of its own, and that nothing is asked of one that it does not know."""

from __future__ import annotations

import json
import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import urllib3
import yaml

from cri_switch.model.errors import RemoteCommandFailed
from cri_switch.model.migration import Ssh
from cri_switch.model.node_ref import NodeRef
from cri_switch.model.settings_file import load_migration
from cri_switch.node.command import plain, sudo
from cri_switch.node.ssh import SshConnection
from cri_switch.rehearsal.build import ADMIN_TOKEN, ClusterSpec
from cri_switch.rehearsal.in_memory import in_memory
from cri_switch.rehearsal.process import RehearsalFailed, RehearsalProcess, Wish


def wish(directory: Path) -> Wish:
    return Wish(directory=str(directory), nodes=2, control_planes=1, replicas=1)


def ask(directory: Path, path: str) -> urllib3.BaseHTTPResponse:
    """The API, as an administrator."""
    access = yaml.safe_load((directory / "admin.conf").read_text())
    url = access["clusters"][0]["cluster"]["server"] + path
    return urllib3.request("GET", url, headers={"Authorization": f"Bearer {ADMIN_TOKEN}"})


def login(ssh: Ssh) -> SshConnection:
    return SshConnection.open(NodeRef(name="w1", uid="u", kubelet_version="v1.20.2"), ssh)


def test_ssh_and_http_of_another_process(tmp_path: Path) -> None:
    with RehearsalProcess(wish(tmp_path)) as rehearsal:
        settings = load_migration(str(rehearsal.wait()))
        assert rehearsal.pid not in (0, os.getpid())
        found = json.loads(ask(tmp_path, "/api/v1/nodes").data)
        assert [node["metadata"]["name"] for node in found["items"]] == ["cp1", "w1"]
        connection = login(settings.spec.ssh)
        assert connection.run(plain("cat", "/etc/hostname")).stdout == "w1\n"
        connection.close()
        assert rehearsal.seen().calls == 1


def test_its_settings_are_promises(tmp_path: Path) -> None:
    """A closed window, a node that is excluded."""
    now = datetime.now(UTC)
    window = {"start": f"{now + timedelta(hours=2):%H:%M}", "end": f"{now + timedelta(hours=3):%H:%M}"}
    spec = {"window": window, "nodes": {"exclude": ["w*"]}}
    with (
        pytest.raises(RehearsalFailed, match="w1 is begun outside the window"),
        RehearsalProcess(wish(tmp_path).model_copy(update={"spec": spec})) as rehearsal,
    ):
        connection = login(load_migration(str(rehearsal.wait())).spec.ssh)
        assert rehearsal.seen().broken == []
        connection.run(sudo("systemctl", "stop", "kubelet.service"))
        connection.close()
        said = rehearsal.seen().broken
        assert "w1 is to be left alone, and systemctl stop kubelet.service runs on it" in said
        assert "w1 is begun outside the window (systemctl stop kubelet.service runs on it)" in said


def test_an_endpoint_that_it_does_not_know_fails_whoever_forgot_to_look(tmp_path: Path) -> None:
    with (
        pytest.raises(RehearsalFailed, match="does not know GET /metrics"),
        RehearsalProcess(wish(tmp_path)) as rehearsal,
    ):
        rehearsal.wait()
        assert ask(tmp_path, "/metrics").status == 501


def test_a_command_that_it_does_not_know_fails_likewise(tmp_path: Path) -> None:
    with (
        pytest.raises(RehearsalFailed, match="w1: the rehearsal does not know: systemctl edit"),
        RehearsalProcess(wish(tmp_path)) as rehearsal,
    ):
        connection = login(load_migration(str(rehearsal.wait())).spec.ssh)
        with pytest.raises(RemoteCommandFailed, match="rehearsal: not known"):
            connection.run(sudo("systemctl", "edit", "kubelet"))
        connection.close()


def test_in_memory_too(tmp_path: Path) -> None:
    with (
        pytest.raises(RehearsalFailed, match="does not know GET /metrics"),
        in_memory(ClusterSpec(nodes=2, control_planes=1, replicas=1), tmp_path),
    ):
        ask(tmp_path, "/metrics")


def test_what_went_wrong_before_is_not_hidden_by_it(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="mine"), RehearsalProcess(wish(tmp_path)) as rehearsal:
        rehearsal.wait()
        ask(tmp_path, "/metrics")
        raise KeyError("mine")


def test_a_process_that_died_is_told(tmp_path: Path) -> None:
    with pytest.raises(RehearsalFailed), RehearsalProcess(wish(tmp_path)) as rehearsal:
        rehearsal.wait()
        os.kill(rehearsal.pid, signal.SIGKILL)
        rehearsal.seen()
