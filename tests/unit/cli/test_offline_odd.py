"""Odd copies of a node's files: none of them ends in a traceback, each is told by its stable name."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cri_switch.cli.offline import offline_plan
from cri_switch.model.errors import SettingsError
from tests.support.unprivileged import as_nobody, readable

FLAGS, CONFIG = "var/lib/kubelet/kubeadm-flags.env", "var/lib/kubelet/config.yaml"
DAEMON, TOML, EXTRA = "etc/docker/daemon.json", "etc/containerd/config.toml", "etc/default/kubelet"
CRICTL = "etc/crictl.yaml"
UNIT = "etc/systemd/system/kubelet.service.d/20.conf"
ARGS = 'KUBELET_KUBEADM_ARGS="--network-plugin=cni"\n'
GOOD: dict[str, str | bytes] = {FLAGS: ARGS, CONFIG: "cgroupDriver: systemd\n"}
CRI = 'plugins."io.containerd.grpc.v1.cri"'


def node(root: Path, files: dict[str, str | bytes]) -> Path:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(text.encode() if isinstance(text, str) else text)
    return root


def plan(root: Path, files: dict[str, str | bytes], version: str = "1.6.20") -> dict[str, Any]:
    found = offline_plan(
        node(root, GOOD | files), kubelet_version="v1.23.5", target="containerd", target_version=version
    )
    found.text(diff=True)
    json.dumps(found.data())
    return found.data()


@pytest.mark.parametrize(
    ("path", "text", "name", "says"),
    [
        (FLAGS, b"\xef\xbb\xbf" + ARGS.encode(), "FileNotUnderstood", f"{FLAGS}:1: a byte order mark"),
        (FLAGS, f"# x\nexport {ARGS}", "FileNotUnderstood", f"{FLAGS}:2: systemd does not read this line"),
        (FLAGS, 'KUBELET_KUBEADM_ARGS "--a"\n', "FileNotUnderstood", f"{FLAGS}:1: systemd does not read this line"),
        (FLAGS, "A=b\nnonsense\n", "FileNotUnderstood", f"{FLAGS}:2: no line sets"),
        (
            EXTRA,
            'A=b\nKUBELET_EXTRA_ARGS="--node-ip\n',
            "FileNotUnderstood",
            "kubelet:2: KUBELET_EXTRA_ARGS: a quote is",
        ),
        (EXTRA, "KUBELET_EXTRA_ARGS=--container-runtime=docker\n", "KubeletFlagElsewhere", EXTRA),
        (EXTRA, "KUBELET_EXTRA_ARGS=--v=1\nKUBELET_EXTRA_ARGS=--v=2\n", "FileNotUnderstood", f"{EXTRA}:2: KUBELET_"),
        (UNIT, "[Unit]\nRequires=docker.service\n", "KubeletNeedsDocker", f"{UNIT}: Requires=docker.service"),
        (CONFIG, "a: \x07\n", "FileNotUnderstood", f"{CONFIG}:1: not YAML"),
        (CONFIG, b"a: b\nc: \xe9\n", "FileNotUnderstood", f"{CONFIG}:2: not YAML"),
        (CONFIG, "a: b\ncgroupDriver: cgroups\n", "FileNotUnderstood", f"{CONFIG}:2: cgroupDriver 'cgroups'"),
        (CONFIG, "a: b\nevictionHard: [1]\n", "FileNotUnderstood", f"{CONFIG}:2: evictionHard"),
        (CONFIG, "[" * 5000, "FileNotUnderstood", "nested too deeply"),
        (DAEMON, '{\n"a": NaN}', "FileNotUnderstood", f"{DAEMON}:2: not JSON: NaN"),
        (DAEMON, "[" * 100_000, "FileNotUnderstood", "nested too deeply"),
        (CONFIG, "a: 2020-13-45\n", "FileNotUnderstood", f"{CONFIG}: not YAML: month"),
        (CONFIG, f"a: {'1' * 5000}\n", "FileNotUnderstood", f"{CONFIG}: not YAML"),
        (CONFIG, "- a\n", "FileNotUnderstood", f"{CONFIG}:1: no mapping"),
        (CRICTL, "a: b\nc: [\n", "FileNotUnderstood", f"{CRICTL}:3: not YAML"),
        (CRICTL, "- a\n", "FileNotUnderstood", f"{CRICTL}:1: no mapping"),
        (CRICTL, "{runtime-endpoint: x}\n", "FileNotUnderstood", f"{CRICTL}: cannot be edited safely"),
        (DAEMON, f'{{"a": {"1" * 5000}}}', "FileNotUnderstood", f"{DAEMON}: not JSON"),
        (TOML, f"version = {'1' * 5000}", "FileNotUnderstood", f"{TOML}: not TOML"),
        (DAEMON, b"\xef\xbb\xbf{}", "FileNotUnderstood", f"{DAEMON}:1: not JSON"),
        (
            DAEMON,
            '{"exec-opts": ["native.cgroupdriver=cgroupfs"]}',
            "CgroupDriversDiffer",
            "is systemd, Docker's is cg",
        ),
        (TOML, b"version = 2\n# \xe9\n", "FileNotUnderstood", f"{TOML}:2: not TOML: not UTF-8"),
        (TOML, 'version = 2\ndisabled_plugins = "cri"\n', "FileNotUnderstood", f"{TOML}:2: disabled_plugins"),
        (TOML, "disabled_plugins = [1]\n", "FileNotUnderstood", f"{TOML}:1: disabled_plugins"),
        (TOML, "# one\nplugins = 3\n", "FileNotUnderstood", f"{TOML}:2: plugins is not a table"),
        (TOML, '# one\nversion = "2"\n', "FileNotUnderstood", f"{TOML}:2: version = '2'"),
        (TOML, "a = " + "[" * 5000, "FileNotUnderstood", "nested too deeply"),
    ],
)
def test_errors(tmp_path: Path, path: str, text: str | bytes, name: str, says: str) -> None:
    errors = [found for found in plan(tmp_path, {path: text})["findings"] if found["level"] == "error"]
    assert [found["name"] for found in errors] == [name]
    assert says in errors[0]["summary"]


@pytest.mark.parametrize(
    ("path", "text", "name"),
    [
        (FLAGS, ARGS + "nonsense\n", "FlagsFileLineIgnored"),
        (FLAGS, ARGS + "; a comment\n\n  # one\nA_1=b\nB=c \\\n d\n", None),
        (FLAGS, b'KUBELET_KUBEADM_ARGS="--network-plugin=cni --node-labels=a=\xe9"\n', None),
        (EXTRA, b"KUBELET_EXTRA_ARGS=--node-ip=\xff\n", None),
        (EXTRA, 'KUBELET_EXTRA_ARGS="--v=2 \\\n --node-ip=::1"\n', None),
        (EXTRA, "KUBELET_EXTRA_ARGS=--image-pull-progress-deadline=5m\n", "KubeletFlagNotCarried"),
        (UNIT, '[Service]\nEnvironment="X=--image-pull-progress-deadline=5m"\n', "KubeletFlagNotCarried"),
        (UNIT, b"[Service]\n# \xe9\n", None),
        (CONFIG, b"\xef\xbb\xbfcgroupDriver: systemd\r\n", None),
        (DAEMON, '{"exec-opts": ["native.cgroupdriver=systemd"]}', None),
        (DAEMON, b'{"data-root": "/d\xff"}', "DockerDataRoot"),
        (DAEMON, '{"log-level": "warn",\n"log-level": "info"}', "DuplicateKey"),
        (CONFIG, "cgroupDriver: cgroupfs\ncgroupDriver: systemd\n", "DuplicateKey"),
        ("etc/kubernetes/manifests/x.yaml", "a: b\na: c\n", "DuplicateKey"),
        (CRICTL, b"runtime-endpoint: unix:///var/run/dockershim.sock\r\ntimeout: 10\r\n", None),
        (TOML, b"version = 2\r\n# \xd0\xb6\r\n", None),
    ],
)
def test_no_errors(tmp_path: Path, path: str, text: str | bytes, name: str | None) -> None:
    found = plan(tmp_path, {path: text})
    assert [each["name"] for each in found["findings"]] == ([name] if name else [])
    assert {"/" + FLAGS, "/" + TOML} <= {file["path"] for file in found["files"]}


@pytest.mark.parametrize(("driver", "systemd"), [("systemd", "true"), ("cgroupfs", "false"), (None, "false")])
def test_a_copy_without_the_kubelets_configuration(tmp_path: Path, driver: str | None, systemd: str) -> None:
    docker: dict[str, str | bytes] = {DAEMON: f'{{"exec-opts": ["native.cgroupdriver={driver}"]}}'} if driver else {}
    root = node(tmp_path, {FLAGS: ARGS, **docker})
    found = offline_plan(root, kubelet_version="v1.20.2", target="containerd", target_version="1.6.20").data()
    assert [each["name"] for each in found["findings"]] == ["KubeletConfigMissing"]
    (toml,) = [file["after"] for file in found["files"] if file["path"] == "/" + TOML]
    assert f"SystemdCgroup = {systemd}" in toml


@pytest.mark.parametrize(
    ("imported", "names"),
    [
        (f"[{CRI}.containerd.runtimes.runc.options]\nSystemdCgroup = false\n", ["ContainerdConfigNotTaken"]),
        ('disabled_plugins = ["io.containerd.grpc.v1.cri"]\n', ["ContainerdConfigNotTaken"]),
        ("= 3\n", ["ContainerdConfigNotTaken"]),
        ('[debug]\nlevel = "info"\n', []),
    ],
)
def test_what_config_toml_imports_counts(tmp_path: Path, imported: str, names: list[str]) -> None:
    files: dict[str, str | bytes] = {
        TOML: 'version = 2\nimports = ["conf.d/*.toml"]\n',
        "etc/containerd/conf.d/a.toml": f"version = 2\n{imported}" if not imported.startswith("=") else imported,
    }
    assert [each["name"] for each in plan(tmp_path, files)["findings"]] == names


@pytest.mark.parametrize("flag", ["kubelet_version", "target_version"])
def test_a_version_that_is_none(tmp_path: Path, flag: str) -> None:
    given = {"kubelet_version": "v1.20.2", "target_version": "1.6.20"} | {flag: "latest"}
    with pytest.raises(SettingsError, match="latest is not a version"):
        offline_plan(tmp_path, target="containerd", **given)


def test_two_numbers_are_a_version(tmp_path: Path) -> None:
    assert "config_path" in str(plan(tmp_path, {DAEMON: '{"registry-mirrors": ["http://m"]}'}, "1.6")["files"])


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)  # root may read everything
    found = offline_plan(node(tmp_path, GOOD), kubelet_version="v1.20.2", target="containerd", target_version="1.6.20")
    assert {each.name for each in found.errors} == {"FileChanged"}
    assert all("Permission denied" in each.summary for each in found.errors)


def test_what_is_no_unicode_is_shown(tmp_path: Path) -> None:
    """In a process of its own: the test runner's stdout takes more than a terminal's."""
    node(tmp_path, GOOD | {FLAGS: b'KUBELET_KUBEADM_ARGS="--network-plugin=cni --node-labels=a=\xe9"\n'})
    words = ["plan", "--node-root", str(tmp_path), "--kubelet-version", "v1.20.2", "--target-version", "1.6.20"]
    command = [sys.executable, "-m", "cri_switch.cli", *words, "--diff"]
    for encoding in ("utf-8", "ascii"):
        environment = {**os.environ, "PYTHONIOENCODING": encoding}
        done = subprocess.run(command, capture_output=True, env=environment, check=False)
        assert (done.returncode, done.stderr) == (0, b"")
        assert b"--node-labels=a=\\udce9" in done.stdout


def test_a_reader_that_leaves_is_no_error(tmp_path: Path) -> None:
    node(tmp_path, GOOD | {TOML: "version = 2\n" + "# a long file\n" * 100_000})
    words = ["plan", "--node-root", str(tmp_path), "--kubelet-version", "v1.20.2", "--target-version", "1.6.20"]
    command = [sys.executable, "-m", "cri_switch.cli", *words, "-o", "json"]
    buffered = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=buffered) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(1)
        process.stdout.close()
        assert (process.stderr.read(), process.wait(60)) == (b"", 141)


@pytest.mark.parametrize(
    ("refused", "names"),
    [
        ("var/lib/kubelet", ["/var/lib/kubelet"]),
        (".", ["/"]),
        ("etc/docker", ["/etc/docker"]),
        (DAEMON, [f"/{DAEMON}"]),
        (TOML, [f"/{TOML}"]),
        (CRICTL, [f"/{CRICTL}"]),
        (FLAGS, [f"/{FLAGS}"]),
        (EXTRA, [f"/{EXTRA}"]),
        (UNIT, [f"/{UNIT}"]),
        ("etc/systemd/system/kubelet.service.d", ["/etc/systemd/system/kubelet.service.d"]),
        ("etc/containerd/conf.d", ["/etc/containerd/conf.d"]),
        ("etc/containerd/certs.d", ["/etc/containerd/certs.d"]),
        ("etc/docker/certs.d", ["/etc/docker/certs.d"]),
    ],
)
def test_what_a_user_may_not_read(open_path: Path, refused: str, names: list[str]) -> None:
    whole: dict[str, str | bytes] = {
        DAEMON: "{}",
        TOML: 'version = 2\nimports = ["conf.d/*.toml"]\n',
        "etc/containerd/conf.d/a.toml": "version = 2\n",
        "etc/containerd/certs.d/r/hosts.toml": "",
        "etc/docker/certs.d/r/ca.crt": "",
        CRICTL: "timeout: 1\n",
        EXTRA: "KUBELET_EXTRA_ARGS=--container-runtime=docker\n",
        UNIT: "[Service]\n",
    }
    root = readable(node(open_path / "copy", GOOD | whole))
    (root / refused).chmod(0)
    with as_nobody(root):
        found = offline_plan(root, kubelet_version="v1.23.5", target="containerd", target_version="1.6.20")
    told = [each for each in found.errors if each.name == "FileChanged"]
    assert [each.summary for each in told] == [f"{name} cannot be read: Permission denied" for name in names]


def test_a_directory_that_may_not_be_looked_for(open_path: Path) -> None:
    root = node(open_path / "above/copy", GOOD)
    root.parent.chmod(0)
    with as_nobody(root.parent), pytest.raises(SettingsError, match="is not a directory"):
        offline_plan(root, kubelet_version="v1.23.5", target="containerd", target_version="1.6.20")


@pytest.mark.parametrize(
    "path", [DAEMON, TOML, CONFIG, FLAGS, CRICTL, EXTRA, "etc/containerd/certs.d/r:5000/hosts.toml"]
)
@pytest.mark.parametrize("kind", ["directory", "fifo", "loop"])
def test_what_is_no_file(tmp_path: Path, path: str, kind: str) -> None:
    files = {DAEMON: '{"insecure-registries": ["r:5000"]}', **GOOD}
    root = node(tmp_path, {name: text for name, text in files.items() if name != path})
    place = root / path
    place.parent.mkdir(parents=True, exist_ok=True)
    if kind == "loop":
        place.symlink_to(place.name)
    else:
        (os.mkfifo if kind == "fifo" else os.mkdir)(place)
    found = offline_plan(root, kubelet_version="v1.23.5", target="containerd", target_version="1.6.20")
    assert [each.name for each in found.errors] == ["FileChanged"]
    assert found.errors[0].summary.startswith(f"/{path} cannot be read: ")
    assert f"/{path}" not in {file.path for file in found.files}


@pytest.mark.parametrize(
    ("imports", "name", "says"),
    [
        ("[1]", "FileNotUnderstood", f"{TOML}:2: imports is not a list of strings"),
        ("3", "FileNotUnderstood", f"{TOML}:2: imports is not a list of strings"),
        ('["conf.d/"]', "FileChanged", "/etc/containerd/conf.d cannot be read: Is a directory"),
        ('["conf.d"]', "FileChanged", "/etc/containerd/conf.d cannot be read: Is a directory"),
        ('["none.toml"]', "ContainerdConfigNotTaken", "/etc/containerd/none.toml: it is imported: No such file"),
        ('["**.toml"]', None, ""),
        ('["none/*.toml"]', None, ""),
        ('["conf.d/plugins*"]', "ContainerdConfigNotTaken", "conf.d/plugins.toml:2: plugins is of the wrong kind"),
        ('["conf.d/disabled.toml"]', "ContainerdConfigNotTaken", "conf.d/disabled.toml:1: disabled_plugins is of"),
        ('["/etc/containerd/conf.d/disabled2.toml"]', "ContainerdConfigNotTaken", "disabled2.toml:1: disabled_plugins"),
    ],
)
def test_odd_imports(tmp_path: Path, imports: str, name: str | None, says: str) -> None:
    files: dict[str, str | bytes] = {
        TOML: f"version = 2\nimports = {imports}\n",
        "etc/containerd/conf.d/plugins.toml": "# x\nplugins = 3\n",
        "etc/containerd/conf.d/disabled.toml": "disabled_plugins = 4\n",
        "etc/containerd/conf.d/disabled2.toml": "disabled_plugins = [[1]]\n",
    }
    errors = [each for each in plan(tmp_path, files)["findings"] if each["level"] == "error"]
    assert name in [each["name"] for each in errors] or (name is None and not errors)
    assert says in "".join(each["summary"] for each in errors)


def test_every_broken_file_is_told(tmp_path: Path) -> None:
    broken: dict[str, str | bytes] = {
        CONFIG: "a: [\n",
        FLAGS: 'KUBELET_KUBEADM_ARGS="--a\n',
        EXTRA: 'KUBELET_EXTRA_ARGS="--a\n',
        DAEMON: "{",
        TOML: "version = \n",
        CRICTL: "a: [\n",
        "var/lib/kubelet/instance-config.yaml": "a: b: c\n",
        "etc/containerd/certs.d/r.example/hosts.toml": "[host\n",
        "etc/kubernetes/manifests/etcd.yaml": "a: b\n- c\n",
    }
    found = plan(tmp_path, broken)["findings"]
    assert [each["name"] for each in found] == ["FileNotUnderstood"] * len(broken)
    for path in broken:
        assert any(re.match(f"/{re.escape(path)}:[12]: ", each["summary"]) for each in found), path


SECRET = "hunter2"
LEAKS: dict[str, dict[str, str | bytes]] = {
    "KubeletFlagElsewhere": {EXTRA: f'KUBELET_EXTRA_ARGS="--container-runtime=docker --token={SECRET}"\n'},
    "KubeletFlagElsewhere ": {EXTRA: f"KUBELET_EXTRA_ARGS=--container-runtime=docker --x=https://u:pw@{SECRET}@h\n"},
    "KubeletNeedsDocker": {UNIT: f"[Service]\nExecStartPre=/usr/bin/docker login -u x -p {SECRET} reg\n"},
    "FileNotUnderstood": {FLAGS: f"KUBELET_KUBEADM_ARGS=\"--a\" '--token={SECRET}'\n"},
    "FileNotUnderstood ": {TOML: f'version = "2"\nx-auth-token = ["{SECRET}"]\n'},
    "KubeletFlagNotCarried": {FLAGS: f'KUBELET_KUBEADM_ARGS="--docker-tls-key={SECRET} --cni-cache-dir=/x"\n'},
    "RegistryNotCarried": {DAEMON: json.dumps({"registry-mirrors": [f"https://h/?token={SECRET}", f"u:{SECRET}@h/"]})},
    "DockerDataRoot": {DAEMON: json.dumps({"data-root": f"https://u:{SECRET}@h"})},
}


@pytest.mark.parametrize("name", LEAKS)
def test_findings_quote_no_secret(tmp_path: Path, name: str) -> None:
    found = offline_plan(
        node(tmp_path, GOOD | LEAKS[name]), kubelet_version="v1.23.5", target="containerd", target_version="1.6.20"
    )
    assert name.strip() in {each.name for each in found.findings}
    assert SECRET not in found.text(diff=True) + json.dumps(found.data())
