"""A node planned from a copy of its files."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from cri_switch.cli.main import run
from cri_switch.cli.offline import offline_plan
from cri_switch.model.errors import SettingsError

FLAGS = "var/lib/kubelet/kubeadm-flags.env"
GOOD = {
    FLAGS: 'KUBELET_KUBEADM_ARGS="--network-plugin=cni --pod-infra-container-image=k8s.gcr.io/pause:3.2"\n',
    "var/lib/kubelet/config.yaml": "cgroupDriver: systemd\n",
    "etc/docker/daemon.json": '{"registry-mirrors": ["http://mirror:5000"], "insecure-registries": ["reg:5000"]}\n',
    "etc/containerd/config.toml": '# kept\ndisabled_plugins = ["cri"]\n',
}
AFTER = (
    'KUBELET_KUBEADM_ARGS="--pod-infra-container-image=k8s.gcr.io/pause:3.2 --container-runtime=remote'
    ' --container-runtime-endpoint=unix:///run/containerd/containerd.sock"\n'
)


def node(root: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


def plan(root: Path, version: str = "1.4.13", kubelet: str = "v1.20.2") -> dict[str, dict[str, str | None]]:
    found = offline_plan(root, kubelet_version=kubelet, target="containerd", target_version=version).data()
    return {file["path"]: file for file in found["files"]} | {"findings": found["findings"]}


def test_the_files_of_a_node(tmp_path: Path) -> None:
    found = plan(node(tmp_path, GOOD))
    assert found[f"/{FLAGS}"] == {"path": f"/{FLAGS}", "before": GOOD[FLAGS], "after": AFTER}
    toml = str(found["/etc/containerd/config.toml"]["after"])
    assert toml.startswith("# kept\n")
    cri = tomllib.loads(toml)["plugins"]["io.containerd.grpc.v1.cri"]
    assert cri["containerd"]["runtimes"]["runc"]["options"]["SystemdCgroup"] is True
    assert cri["registry"]["mirrors"]["docker.io"]["endpoint"][0] == "http://mirror:5000"
    assert found["/etc/crictl.yaml"]["before"] is None
    assert "/etc/docker/daemon.json" not in found, "a file that does not change is not listed"


def test_hosts_toml_from_containerd_1_5(tmp_path: Path) -> None:
    found = plan(node(tmp_path, GOOD), "1.6.20")
    assert "http://reg:5000" in str(found["/etc/containerd/certs.d/reg:5000/hosts.toml"]["after"])


@pytest.mark.parametrize(
    ("text", "names"),
    [("server = 'mine'\n", ["HostsTomlKept"]), ("# Written by cri-switch, of an older version\n", [])],
)
def test_an_administrators_hosts_toml_stays(tmp_path: Path, text: str, names: list[str]) -> None:
    path = "etc/containerd/certs.d/reg:5000/hosts.toml"
    found = plan(node(tmp_path, GOOD | {path: text}), "1.6.20")
    assert [f["name"] for f in found["findings"]] == names  # type: ignore[index]
    assert (f"/{path}" in found) is not bool(names)


def test_what_was_planned_changes_nothing_more(tmp_path: Path) -> None:
    first = plan(node(tmp_path, GOOD))
    node(tmp_path, {p.lstrip("/"): str(f["after"]) for p, f in first.items() if p != "findings"})
    assert [path for path in plan(tmp_path) if path != "findings"] == []


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        ("etc/docker/daemon.json", '{\n "a": 1,\n}\n', 3),
        ("etc/containerd/config.toml", "version = 2\n[plugins\n", 2),
        ("var/lib/kubelet/config.yaml", "a: 1\n  b: [\n", 2),
        (FLAGS, 'KUBELET_KUBEADM_ARGS="--a\n', 1),
    ],
)
def test_broken_files_are_errors_that_name_file_and_line(tmp_path: Path, path: str, text: str, line: int) -> None:
    found = plan(node(tmp_path, GOOD | {path: text}))["findings"]
    errors = [f for f in found if f["level"] == "error"]  # type: ignore[index]
    assert errors, found
    assert any(f"/{path}:{line}" in f["summary"] for f in errors), errors  # type: ignore[index]


def test_an_empty_copy(tmp_path: Path) -> None:
    findings = plan(tmp_path)["findings"]
    assert [(f["level"], f["name"]) for f in findings] == [("warning", "FlagsFileMissing")]  # type: ignore[index]


def test_links_do_not_lead_out_of_the_copy(tmp_path: Path) -> None:
    outside = tmp_path / "outside.json"
    outside.write_text("{broken")
    root = node(tmp_path / "node", {FLAGS: GOOD[FLAGS]})
    (root / "etc/docker").mkdir(parents=True)
    (root / "etc/docker/daemon.json").symlink_to(outside)
    assert not [f for f in plan(root)["findings"] if f["level"] == "error"]  # type: ignore[index]


def test_secrets_are_masked(tmp_path: Path) -> None:
    config = '[plugins."io.containerd.grpc.v1.cri".registry.configs."r".auth]\npassword = "hunter2"\n'
    root = node(tmp_path, GOOD | {"etc/containerd/config.toml": f"version = 2\n{config}"})
    found = offline_plan(root, kubelet_version="v1.20.2", target="containerd", target_version="1.4.13")
    assert "hunter2" not in json.dumps(found.data()) + found.text(diff=True)


@pytest.mark.parametrize(("root", "target"), [("missing", "containerd"), (".", "rkt")])
def test_refused(tmp_path: Path, root: str, target: str) -> None:
    with pytest.raises(SettingsError):
        offline_plan(tmp_path / root, kubelet_version="v1.20.2", target=target, target_version="1.4.13")


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    node(tmp_path, GOOD | {"etc/docker/daemon.json": "{"})
    words = ["plan", "--node-root", str(tmp_path), "--kubelet-version", "v1.20.2", "--target", "containerd"]
    assert run([*words, "--target-version", "1.4.13", "-o", "json"]) == 3
    said = capsys.readouterr()
    assert {f["name"] for f in json.loads(said.out)["findings"]} == {"FileNotUnderstood"}
    assert "error: 1 finding stands in the way" in said.err
    assert run(words) == 2, "the target's version is needed"


@pytest.mark.parametrize(
    "words",
    [
        ["--node-root", ".", "--kubelet-version", "v1.20.2", "--target-version", "1.4.13", "-f", "x"],
        ["--node-root", "."],
        ["-f", "x", "--kubelet-version", "v1.20.2"],
        ["-f", "x", "--target-version", "1.4.13"],
        [],
    ],
)
def test_flags_that_do_not_go_together(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plan", *words]) == 2
    said = capsys.readouterr().err
    assert "state: nothing was touched" in said
    assert "next: cri-switch plan --help" in said
