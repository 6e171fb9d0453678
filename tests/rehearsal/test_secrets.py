"""Secrets of the nodes' files are nowhere outside of these files: not in what is shown, kept, logged or executed."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from cri_switch.model.errors import CriSwitchError
from cri_switch.rehearsal.build import ClusterSpec, build
from cri_switch.rehearsal.clock import VirtualClock
from cri_switch.rehearsal.node_fault import NodeFault
from cri_switch.rehearsal.world import World
from tests.rehearsal.engineless import Engineless

MARK = "hunter2"
DAEMON = {
    "registry-mirrors": [f"https://mirror:{MARK}-a@mirror.example", f"https://{MARK}-b@hub.example"],
    "insecure-registries": [f"robot:{MARK}-c@registry.example:5000", "plain.example:5000"],
    "log-driver": "splunk",
    "log-opts": {"splunk-token": f"{MARK}-d", "splunk-url": "https://splunk.example"},
    "proxies": {"http-proxy": f"http://proxy:{MARK}-e@proxy.example:3128"},
    "x-token": f"{MARK}-f",
}
CONFIG = f"""version = 2
disabled_plugins = ["cri"]
[plugins."io.containerd.grpc.v1.cri".registry.configs."registry.example:5000".auth]
  username = "robot"
  password = "{MARK} with spaces {MARK}-g"
  auth = '{MARK}-h'
"""
DROP_IN = f'[Service]\nEnvironment="HTTPS_PROXY=http://proxy:{MARK}-i@proxy.example:3128"\n'
UNIT = f"[Service]\nExecStart=/usr/bin/docker login -u robot -p {MARK}-j registry.example\n"
HUB = {"auths": {"registry.example": {"auth": f"{MARK}-k"}}}


class Heard:
    """A world with secrets planted on every node; everything that leaves the files of the nodes is kept."""

    def __init__(self, directory: Path) -> None:
        self.clock = VirtualClock()
        self.world: World = build(ClusterSpec(nodes=3, control_planes=1), self.clock)
        self.clock.passed = self.world.tick
        self.said: list[tuple[str, str]] = []
        self.fails: tuple[str, ...] = ()
        for name, machine in self.world.machines.items():
            machine.fs.put("/etc/docker/daemon.json", json.dumps(DAEMON), 0o600)
            machine.fs.put("/etc/containerd/config.toml", CONFIG, 0o600)
            machine.fs.put("/etc/systemd/system/docker.service.d/http-proxy.conf", DROP_IN, 0o600)
            machine.fs.put("/etc/systemd/system/login.service", UNIT, 0o600)
            machine.fs.put("/var/lib/kubelet/config.json", json.dumps(HUB), 0o600)
            machine.fault_hook = self._program(name)
        self.runs = Engineless(self.world, directory)
        self.world.store.subscribe(lambda event: self.hear("api", json.dumps(event.object)))

    def _program(self, name: str) -> Any:
        def hook(argv: tuple[str, ...]) -> NodeFault | None:
            self.hear("process list", " ".join(argv))
            if name == "w2" and self.fails and argv[: len(self.fails)] == self.fails:
                return NodeFault(1, "it fails, as it was meant to")
            return None

        return hook

    def hear(self, where: str, text: str) -> None:
        self.said.append((where, text))

    def leaks(self) -> list[str]:
        return sorted({f"{where}: {text[:200]}" for where, text in self.said if MARK in text})


@pytest.fixture
def heard(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Heard:
    caplog.set_level(logging.DEBUG)
    return Heard(tmp_path)


def everything(heard: Heard, caplog: pytest.LogCaptureFixture) -> None:
    """What the records say, and what the nodes keep beside the originals."""
    for record in caplog.records:
        heard.hear("log", record.getMessage())
    for page in heard.runs.artifacts:
        heard.hear(f"artifact {page.key}", f"{page.description} {page.data}")
    for key, text in heard.runs.checkpoints.items():
        heard.hear(f"result {key}", text)
    for machine in heard.world.machines.values():
        for entry in machine.fs.names("/var/lib/cri-switch"):
            for file in ("journal.jsonl", "originals.jsonl", "before.json", "before.json.attempt-1"):
                heard.hear(f"journal {file}", machine.fs.text(f"/var/lib/cri-switch/{entry}/{file}") or "")
        heard.hear("system journal", "\n".join(str(line) for line in vars(machine.journal).values()))


@pytest.mark.parametrize("fails", [(), ("crictl", "info"), ("systemctl", "start", "kubelet.service")])
def test_a_migration_leaks_nothing(heard: Heard, caplog: pytest.LogCaptureFixture, fails: tuple[str, ...]) -> None:
    heard.fails = fails

    try:
        report = heard.runs.run(heard.runs.migration(max_unavailable=2))
        heard.hear("report", report.model_dump_json())
    except CriSwitchError as problem:
        assert fails
        heard.hear("error", f"{problem} {getattr(problem, '__notes__', '')}")
        heard.hear("report", problem.report.model_dump_json() if problem.report else "")
    everything(heard, caplog)
    assert len(heard.said) > 500
    assert heard.leaks() == []
    for machine in heard.world.machines.values():
        assert MARK in (machine.fs.text("/etc/docker/daemon.json") or "")
        assert f"{MARK}-g" in (machine.fs.text("/etc/containerd/config.toml") or "")


def test_a_plan_with_its_diff_leaks_nothing(heard: Heard, caplog: pytest.LogCaptureFixture) -> None:
    plan = heard.runs.plan(heard.runs.migration(), diff=True)
    heard.hear("plan -o json", plan.model_dump_json())
    everything(heard, caplog)
    assert any(change.path == "/etc/containerd/config.toml" for change in plan.files)
    assert heard.leaks() == []
