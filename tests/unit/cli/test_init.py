"""`cri-switch init` against a rehearsal's API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cri_switch.cli.main import run
from cri_switch.model.node_ref import NodeRef
from cri_switch.model.settings_file import load_migration
from cri_switch.rehearsal.access import write_kubeconfigs
from cri_switch.rehearsal.build import ClusterSpec, build
from cri_switch.rehearsal.clock import Clock
from cri_switch.rehearsal.http_server import HttpServer
from cri_switch.rehearsal.world import World
from cri_switch.render.settings_text import Found, migration_name, settings_text

CONFIG = """Host w1
  HostName 192.0.2.7
  User ops
  UserKnownHostsFile {known}
Host *
  UserKnownHostsFile {known}
"""
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1C6XyDJ3VhS1d1u0sYxQ0aMBc2zFhI8Vb6q2ZsXoqW"


@pytest.fixture(scope="module")
def world() -> World:
    return build(ClusterSpec(nodes=3, control_planes=1, migrated=("w2",)), Clock(1.0))


@pytest.fixture
def place(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    server = HttpServer(world.api)
    write_kubeconfigs(tmp_path, server.url)
    (tmp_path / "known").write_text(f"192.0.2.7 {KEY}\n")
    (tmp_path / "ssh_config").write_text(CONFIG.format(known=tmp_path / "known"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KUBECONFIG", "kubeconfig")
    yield tmp_path
    server.close()


def test_it_writes_what_it_finds_and_the_file_can_be_used(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", "--ssh-config", "ssh_config"]) == 0
    out, err = capsys.readouterr()
    assert out == "migration.yaml\n"
    text = (place / "migration.yaml").read_text()
    for said in (
        "3 nodes, 1 of them control plane",
        "cp1 is the only control-plane node",
        "2 nodes run Docker",
        "No host key is known for 2 nodes (cp1, w2)",
        "# w1: ops@192.0.2.7 port 22",
    ):
        assert said in text, text
    assert "cp1 is the only control-plane node" in err
    assert "next: read it, then: cri-switch preflight -f migration.yaml" in err
    migration = load_migration(place / "migration.yaml")
    assert migration.metadata.name == "rehearsal"
    assert migration.spec.cluster.kubeconfig == str(place / "kubeconfig")
    assert migration.spec.ssh.config_file == str(place / "ssh_config")
    assert not migration.spec.backup.acknowledge_not_backed_up


def test_a_file_that_is_there_is_kept(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "migration.yaml").write_text("mine")
    assert run(["init"]) == 3
    assert "migration.yaml is there already" in capsys.readouterr().err
    assert (place / "migration.yaml").read_text() == "mine"
    assert run(["init", "--force", "--user", "me", "--name", "Prod_1"]) == 0
    migration = load_migration(place / "migration.yaml")
    assert (migration.spec.ssh.user, migration.metadata.name) == ("me", "prod-1")


def test_a_link_leads_it_nowhere_else(place: Path) -> None:
    (place / "migration.yaml").symlink_to(place / "elsewhere")
    assert run(["init"]) == 3
    assert run(["init", "--force"]) == 0
    assert not (place / "elsewhere").exists()
    assert (place / "migration.yaml").lstat().st_mode & 0o777 == 0o600


def test_stdout_and_an_inventory(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "hosts.ini").write_text("[kube_node]\nw1 ansible_host=192.0.2.9 ansible_user=inv\n")
    assert run(["init", "-f", "-", "-i", "hosts.ini", "--ssh-config", "ssh_config"]) == 0
    out, err = capsys.readouterr()
    assert "w1: inv@192.0.2.9 port 22" in out
    assert f"inventory: {place}/hosts.ini" in out
    assert err == ""
    assert not (place / "migration.yaml").exists()


def test_what_a_node_says_of_itself_stays_a_comment() -> None:
    """Its kubelet's version is its own word: no line of it is a setting, and no terminal obeys it."""
    evil = NodeRef(name="w1", uid="1", runtime="docker://20.10.5", kubelet_version="v1\nspec: {dry_run: 1}\x1b[2J")
    text = settings_text(Found(name="prod", kubeconfig="/k", nodes=(evil,)))
    assert [line for line in text.splitlines() if "dry_run" in line and not line.startswith("#")] == []
    assert "\x1b" not in text


def test_an_api_that_does_not_answer_is_said(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (place / "kubeconfig").read_text().replace("rehearsal-token", "wrong")
    (place / "kubeconfig").write_text(text)
    assert run(["init"]) == 0
    assert "warning: " in capsys.readouterr().err
    assert "The API did not answer" in (place / "migration.yaml").read_text()
    assert load_migration(place / "migration.yaml").spec.max_unavailable == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [(None, "No such file"), ("a: [", "is no kubeconfig"), ("[]", "is no kubeconfig"), ("a: b", "has no 'current-")],
)
def test_no_kubeconfig(place: Path, text: str | None, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    if text is not None:
        (place / "other").write_text(text)
    assert run(["init", "--kubeconfig", "other"]) == 3
    assert said in capsys.readouterr().err
    assert not (place / "migration.yaml").exists()


@pytest.mark.parametrize(
    ("context", "name"),
    [("kubernetes-admin@prod.example", "prod-example"), ("kind", "kind"), ("@", "cluster"), ("A" * 80, "a" * 63)],
)
def test_names(context: str, name: str) -> None:
    assert migration_name(context) == name
