"""Bad input: each ends before anything is touched, with one clear line and an exit code that is not 0."""

from __future__ import annotations

import base64
import functools
import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from cri_switch.model.steps import STEPS
from tests.e2e.before import Before
from tests.e2e.look import cluster, node
from tests.e2e.pipeline import Pipeline
from tests.e2e.settings import settings, write
from tests.e2e.site import Site
from tests.e2e.wait import until, until_none

pytestmark = pytest.mark.usefixtures("before")

_SUDOERS = "/etc/sudoers.d/cri-switch"
_MOUNTS = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: builder, namespace: lab, labels: {app: builder}}
spec:
  replicas: 1
  selector: {matchLabels: {app: builder}}
  template:
    metadata: {labels: {app: builder}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - {name: builder, image: lab/app:1, args: [serve], volumeMounts: [{name: run, mountPath: /host/run}]}
      volumes: [{name: run, hostPath: {path: /var/run}}]
"""
_STATIC = "/etc/kubernetes/manifests/static-builder.yaml"
_STATIC_MOUNTS = """
apiVersion: v1
kind: Pod
metadata: {name: static-builder, namespace: lab}
spec:
  hostNetwork: true
  terminationGracePeriodSeconds: 1
  containers:
    - {name: builder, image: lab/app:1, args: [serve, --port, "9099"], volumeMounts: [{name: d, mountPath: /d.sock}]}
  volumes: [{name: d, hostPath: {path: /var/run/docker.sock}}]
"""

Fingerprints = dict[str, Any]


def _fingerprints(site: Site) -> Fingerprints:
    """Every machine, and every object that a migration would change; pods of the CronJob and of these tests apart."""
    machines = {name: node.fingerprint(site, name) for name in site.nodes}
    nodes = {
        each["metadata"]["name"]: (each["spec"], each["metadata"].get("labels"), each["metadata"].get("annotations"))
        for each in site.get("nodes")
    }
    pods = {
        each["metadata"]["name"]: each["metadata"]["uid"]
        for each in site.get("pods")
        if not re.match(r"minutely|(static-)?builder", each["metadata"]["name"])
    }
    return {"machines": machines, "nodes": nodes, "pods": pods}


@pytest.fixture(scope="module")
def untouched(site: Site, before: Before) -> Fingerprints:
    return _fingerprints(site)


@pytest.fixture(autouse=True)
def _touches_nothing(site: Site, untouched: Fingerprints, pipeline: Pipeline) -> Iterator[None]:
    """After every test here the whole site is as it was."""
    yield
    now = _fingerprints(site)
    for name, was in untouched["machines"].items():
        is_now = now["machines"][name]
        changed = set(was["files"].splitlines()) ^ set(is_now["files"].splitlines())
        assert not changed, f"{name}: {sorted(changed)[:6]}"
        assert is_now == was, name
    assert now["nodes"] == untouched["nodes"]
    assert now["pods"] == untouched["pods"]


@pytest.fixture
def migrate(site: Site, pipeline: Pipeline, tmp_path: Path) -> Any:
    """`cri-switch migrate --yes` with the lab's settings changed."""

    def run(changes: Mapping[str, Any], *, verb: tuple[str, ...] = ("migrate", "--yes")) -> Any:
        file = write(tmp_path / "migration.yaml", settings(site, changes))
        return pipeline.cri_switch(*verb, "-f", str(file))

    return run


def _complaint(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The lines of the last word on stderr, from `error:` on."""
    assert done.returncode not in (0, 1), f"{done.returncode}: {done.stdout}{done.stderr}"
    assert "Traceback" not in done.stderr, done.stderr
    lines = done.stderr.splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("error:")]
    assert starts, done.stderr
    return lines[starts[-1] :]


def _errors(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The findings that ended it."""
    return [line for line in _complaint(done) if "[ERROR " in line]


def _one_error(done: subprocess.CompletedProcess[str], *words: str) -> str:
    """The one finding, with all these words in it."""
    errors = _errors(done)
    assert len(errors) == 1, "\n".join(_complaint(done))
    for word in words:
        assert word.lower() in errors[0].lower(), errors[0]
    assert any("nothing was touched" in line for line in _complaint(done)), _complaint(done)
    return errors[0]


def test_a_changed_host_key_is_refused_and_the_node_named(site: Site, migrate: Any, tmp_path: Path) -> None:
    known = (site.directory / "known_hosts").read_text().splitlines()
    of = {line.split(",")[0]: line for line in known}
    of["w1"] = " ".join([*of["w1"].split()[:2], of["w2"].split()[2]])
    (tmp_path / "known_hosts").write_text("\n".join(of.values()) + "\n")
    _one_error(migrate({"ssh": {"known_hosts": str(tmp_path / "known_hosts")}}), "w1", "host key")


def test_a_sudo_that_asks_for_a_password_is_named(site: Site, migrate: Any) -> None:
    with _hidden(site, "w2", _SUDOERS):
        _one_error(migrate({}), "w2", "sudo")


def test_a_node_that_cannot_be_reached_is_named(site: Site, migrate: Any, tmp_path: Path) -> None:
    config = (site.directory / "ssh_config").read_text().replace(site.address("w1"), "10.77.0.199")
    (tmp_path / "ssh_config").write_text(config)
    _one_error(migrate({"ssh": {"config_file": str(tmp_path / "ssh_config"), "connect_timeout": 2}}), "w1")


@contextmanager
def _only_by(site: Site, jump: str) -> Iterator[None]:
    """The workers refuse ssh from everywhere but one machine."""
    rule = ["INPUT", "-p", "tcp", "--dport", "22", "!", "-s", site.address(jump), "-j", "REJECT"]
    try:
        for name in site.workers:
            site.root(name, "iptables", "-I", *rule)
        yield
    finally:
        for name in site.workers:
            site.root(name, "iptables", "-D", *rule)


def test_nodes_behind_a_jump_machine(site: Site, migrate: Any, tmp_path: Path) -> None:
    """By ssh_config's ProxyJump, and by an inventory with Kubespray's group `bastion`."""
    jump = site.control_plane
    config = (site.directory / "ssh_config").read_text()
    hosts = [f"{name} ansible_host={site.address(name)} ansible_user=ops" for name in site.nodes]
    groups = ["[bastion]", jump, "[kube_control_plane]", jump, "[kube_node]", *site.workers]
    (tmp_path / "hosts.ini").write_text("\n".join(["[all]", *hosts, *groups]) + "\n")
    jumping = [(f"Host {name}\n", f"Host {name}\n  ProxyJump {jump}\n") for name in site.workers]
    (tmp_path / "jump").write_text(functools.reduce(lambda text, pair: text.replace(*pair), jumping, config))
    entry = config[config.index(f"Host {jump}\n") :].split("\n\n")[0].splitlines()[1:]
    (tmp_path / "plain").write_text("\n".join(["Host *", *(line for line in entry if "HostName" not in line)]) + "\n")
    ways = {
        "jump": {"config_file": str(tmp_path / "jump")},
        "inventory": {"config_file": str(tmp_path / "plain"), "inventory": str(tmp_path / "hosts.ini")},
    }
    with _only_by(site, jump):
        found = json.loads(migrate({}, verb=("preflight", "-o", "json")).stdout)["findings"]
        refused = {(each["name"], each["node"]) for each in found if each["level"] == "error"}
        assert refused == {("Unreachable", name) for name in site.workers}
        for name, ssh in ways.items():
            done = migrate({"ssh": ssh}, verb=("preflight",))
            assert done.returncode == 0, f"{name}: {done.stdout}{done.stderr}"


def test_an_unknown_node_name_is_named(migrate: Any) -> None:
    _one_error(migrate({"nodes": {"limit": ["w1", "w77"]}}), "w77")


def test_a_kubeconfig_without_rights_is_refused_with_what_is_missing(site: Site, migrate: Any, tmp_path: Path) -> None:
    config = yaml.safe_load((site.directory / "kubeconfig").read_text())
    secret = site.kubectl("-n", "lab", "get", "sa", "default", "-o", "jsonpath={.secrets[0].name}")
    token = site.kubectl("-n", "lab", "get", "secret", secret, "-o", "jsonpath={.data.token}")
    config["users"][0]["user"]["token"] = base64.b64decode(token).decode()
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(config))
    said = _complaint(migrate({"cluster": {"kubeconfig": str(tmp_path / "kubeconfig")}}))
    assert "forbidden" in said[0] and "system:serviceaccount:lab:default" in said[0], said
    assert str(tmp_path / "kubeconfig") in " ".join(said), said


def test_a_missing_flags_file_is_named_with_its_node(migrate: Any) -> None:
    errors = _errors(migrate({"kubelet": {"flags_file": "/var/lib/kubelet/nowhere.env"}}))
    named = [re.findall(r"\b(cp1|w1|w2)\b", line)[:1] for line in errors]
    assert sorted(named) == [["cp1"], ["w1"], ["w2"]], errors
    assert all("/var/lib/kubelet/nowhere.env" in line for line in errors), errors


def test_an_unknown_key_in_the_settings_is_named(migrate: Any) -> None:
    said = _complaint(migrate({"drain": {"delete_emptydirdata": True}}))
    assert "spec.drain.delete_emptydirdata" in " ".join(said), said


def test_who_mounts_dockers_socket_is_named_with_its_owner_and_may_be_allowed(site: Site, migrate: Any) -> None:
    """A Deployment that mounts a parent directory, and a static pod that mounts the socket itself."""
    site.kubectl("apply", "-f", "-", stdin=_MOUNTS)
    site.write("w2", _STATIC, _STATIC_MOUNTS)
    try:
        until("the builders", lambda: len(_builders(site)) == 2, 300)
        errors = _errors(migrate({}))
        assert len(errors) == 2, errors
        assert any("lab/Deployment/builder" in line for line in errors), errors
        assert any("static-builder" in line and "w2" in line for line in errors), errors

        owners = ["lab/Deployment/builder", "lab/Pod/static-builder-w2"]
        allowed = migrate({"allow_docker_socket": owners}, verb=("plan",))
        assert allowed.returncode == 0, allowed.stderr
        one = migrate({"allow_docker_socket": owners[:1]})
        assert "static-builder" in _one_error(one, "w2")
    finally:
        site.root("w2", "rm", "-f", _STATIC)
        # By name, each kind: the garbage collector may pause for a minute after a namespace has gone.
        site.kubectl("-n", "lab", "delete", "deployments,replicasets,pods", "-l", "app=builder", "--wait=false")
        until_none("the builders to be gone", lambda: _builders(site, running=False), 300)


def test_plan_shows_what_would_be_done_and_does_nothing(migrate: Any) -> None:
    done = migrate({}, verb=("plan",))
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines() if line[:2] in ("cp", "w1", "w2")]
    assert [row[0] for row in rows] == ["w1", "w2", "cp1"], done.stdout
    assert [row[3].partition(":")[0] for row in rows] == ["docker"] * 3
    assert [row[4].partition(":")[0] for row in rows] == ["containerd"] * 3
    assert [row[5] for row in rows] == ["migrate"] * 3
    assert "cordoned" in " ".join(rows[2]), rows[2]


def test_migrate_without_yes_prints_the_plan_and_does_nothing(migrate: Any) -> None:
    done = migrate({}, verb=("migrate",))
    assert "3 to migrate" in done.stdout, done.stdout
    assert "--yes" in done.stderr, done.stderr


def test_a_dry_run_goes_through_every_step_and_changes_nothing(site: Site, migrate: Any) -> None:
    """The same flow: each step of each node is in the report; the fixture compares the site with what it was."""
    before = cluster.written(site)
    done = migrate({}, verb=("migrate", "--dry-run"))
    assert done.returncode == 0, done.stderr
    for step in (*STEPS, "remove_docker"):
        [row] = [line.split() for line in done.stdout.splitlines() if line.startswith(f"{step} ")]
        assert len(row) == 4, row
    assert done.stdout.count("untouched") == 3, done.stdout
    assert "evicting pod" in done.stderr and "(dry run)" in done.stderr
    now = cluster.written(site)
    assert now["leases"] == before["leases"]
    assert now["daemonsets"] == before["daemonsets"]
    assert set(now["events"]) <= set(before["events"]), "older ones may expire"


@pytest.mark.parametrize("command", ["/bin/sh -c id", "/usr/bin/bash", "/usr/bin/env id", "/usr/bin/vi /etc/passwd"])
def test_the_sudo_rule_gives_no_shell(site: Site, command: str) -> None:
    """The rule does let the pipeline's own programs pass, without a password."""
    ssh = ["ssh", "-F", str(site.directory / "ssh_config"), "w1", "sudo", "-n"]
    refused = subprocess.run([*ssh, *command.split()], capture_output=True, text=True, timeout=120, check=False)
    assert refused.returncode != 0
    assert "uid=0" not in refused.stdout
    allowed = subprocess.run([*ssh, "systemctl", "is-active", "kubelet"], capture_output=True, timeout=120, check=False)
    assert allowed.stdout.strip() == b"active", allowed.stderr


def test_nothing_of_the_pipelines_is_on_the_nodes_yet(site: Site) -> None:
    assert cluster.marks(site) == {name: [] for name in site.nodes}
    assert [name for name in site.nodes if site.code(name, "test", "-e", "/var/lib/cri-switch") == 0] == []


def _builders(site: Site, *, running: bool = True) -> list[str]:
    return [
        pod["metadata"]["name"]
        for pod in site.get("pods", "--field-selector=metadata.namespace=lab")
        if "builder" in pod["metadata"]["name"] and (not running or pod["status"]["phase"] == "Running")
    ]


@contextmanager
def _hidden(site: Site, name: str, path: str) -> Iterator[None]:
    """A file out of sight for a while; its change time is not that of the rule, so it is put back by a move."""
    away = f"/var/lib/{Path(path).name}.away"
    site.root(name, "mv", path, away)
    try:
        yield
    finally:
        site.root(name, "mv", away, path)
