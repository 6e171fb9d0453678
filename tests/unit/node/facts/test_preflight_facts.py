from __future__ import annotations

import base64
import datetime as dt
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from cri_switch.node.command import Result
from cri_switch.node.facts.certificates import certificates, parse_certificates
from cri_switch.node.facts.docker_info import DOCKER_INFO
from cri_switch.node.facts.etcd import EtcdPod
from cri_switch.node.facts.etcdctl import etcd_members, etcd_status
from cri_switch.node.facts.host_docker import (
    HOST_DOCKER,
    SOCKET_CLIENTS,
    Process,
    docker_lines,
    processes,
    processes_of,
)
from cri_switch.node.facts.kubelet import parse_kubelet_config
from cri_switch.node.facts.packages import Package, parse_policy
from cri_switch.node.facts.paths import existing
from cri_switch.node.facts.room import Room, room
from cri_switch.node.facts.sudo_rule import parse_sudo_list
from cri_switch.node.facts.texts import parse_grep, texts
from cri_switch.node.fake import ScriptedConnection


def read(fact: object, stdout: str, rc: int = 0, stderr: str = "") -> object:
    return fact.read(ScriptedConnection("w1", {"": Result(rc, stdout, stderr)}))  # type: ignore[attr-defined]


def test_texts_are_whole_and_what_is_missing_is_left_out() -> None:
    found = read(texts("/a", "/b", "/c"), "/a:x: y\n/a:\n/b:z\n", rc=2)
    assert found == {"/a": "x: y\n\n", "/b": "z\n"}


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"])), min_size=1))
def test_any_line_comes_through(lines: list[str]) -> None:
    grep = "".join(f"/f:{line}\n" for line in lines)
    assert parse_grep(grep) == {"/f": "".join(f"{line}\n" for line in lines)}


def test_docker_info() -> None:
    info = DOCKER_INFO.parse(Result(0, '{"version":"20.10.5","root":"/d","live":true,"swarm":"active"}\n'))
    assert (info.version, info.root, info.live_restore, info.swarm) == ("20.10.5", "/d", True, True)
    assert not DOCKER_INFO.parse(Result(0, '{"version":"2","root":"","live":false,"swarm":"inactive"}')).swarm


def test_room_of_paths_that_may_be_missing() -> None:
    text = "1B-blocks       Avail Mounted on File\n 100 50 / /var/lib\n 10 5 /my disk /var/lib/docker\n"
    found = read(room("/var/lib", "/var/lib/docker", "/gone"), text, rc=1, stderr="df: /gone: No such file")
    assert found == {"/var/lib": Room("/", 100, 50), "/var/lib/docker": Room("/my disk", 10, 5)}


def test_existing() -> None:
    assert read(existing("/a", "/b"), "/b\n", rc=2) == ("/b",)


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        ("/etc/cron.d/gc:0 3 * * * root docker system prune -f", True),
        ("/etc/cron.daily/gc:/usr/bin/docker image prune", True),
        ("/var/spool/cron/crontabs/root:@daily (docker-compose -f /x up)", True),
        ("/etc/cron.d/x:* * * * * root curl --unix-socket /run/docker.sock http://x/", True),
        ("/etc/systemd/system/app.service:ExecStart=/usr/bin/docker run app", True),
        ("/etc/systemd/system/app.service:ExecStartPre=-/usr/bin/docker rm app", True),
        ("/etc/systemd/system/app.service:Requires=network.target docker.service", True),
        ("/lib/systemd/system/app.service:BindsTo=docker.socket", True),
        ("/etc/systemd/system/app.service:  /usr/bin/docker run app", True),
        ("/etc/systemd/system/app.service:Environment=DOCKER_HOST=unix:///var/run/docker.sock", True),
        ("/etc/systemd/system/app.path:PathExists=/run/docker.sock", True),
        ("/etc/systemd/system/my-containerd.service:ExecStart=/usr/bin/docker run app", True),
        ("/run/systemd/system/app.service:ExecStart=/usr/bin/docker run app", True),
        ("/usr/local/lib/systemd/system/app.service:ExecStart=/usr/bin/docker run app", True),
        ("/usr/lib/systemd/system/app.service:ExecStart=/usr/bin/docker run app", True),
        ("/etc/systemd/system/multi-user.target.wants/app.service:ExecStart=/usr/bin/docker run app", False),
        ("/usr/local/lib/systemd/system/app.service:Description=runs docker things", False),
        ("/etc/systemd/system/app.service:Environment=NAME=docker", False),
        ("/etc/systemd/system/app.service:Documentation=file:///run/docker.sock", False),
        ("/etc/systemd/system/containerd.service.d/x.conf:ExecStartPre=/usr/bin/docker version", False),
        ("/etc/systemd/system/app.service:After=docker.service", False),
        ("/etc/systemd/system/app.service:Wants=docker.service", False),
        ("/etc/systemd/system/app.service:Description=runs docker things", False),
        ("/etc/systemd/system/docker.service.d/proxy.conf:ExecStart=/usr/bin/dockerd docker", False),
        ("/lib/systemd/system/docker.service:ExecStart=/usr/bin/dockerd -H fd:// docker", False),
        ("/lib/systemd/system/docker.service:Requires=docker.socket", False),
        ("/etc/systemd/system/kubelet.service.d/x.conf:Requires=docker.service", False),
        ("/etc/cron.d/gc:# docker system prune", False),
        ("/etc/cron.d/gc:0 3 * * * root /opt/docker-gc/run", False),
        ("/etc/cron.d/gc:0 3 * * * root ls /var/lib/dockers", False),
    ],
)
def test_lines_that_call_docker(line: str, counts: bool) -> None:
    assert bool(docker_lines(line + "\n")) is counts


def test_no_such_lines() -> None:
    assert read(HOST_DOCKER, "", rc=1) == ()


def test_lib_and_usr_lib_may_be_one_place() -> None:
    where = ("/usr/lib/systemd/system/a.service", "/lib/systemd/system/a.service", "/usr/lib/systemd/system/b.service")
    found = docker_lines("".join(f"{path}:ExecStart=/usr/bin/docker run a\n" for path in where))
    assert [each.path for each in found] == [*where[1:]]


def test_real_grep_follows_links(tmp_path: Path) -> None:
    """Of the units of `systemctl link`, and of cron files that are links; a masked unit is a link to /dev/null."""
    etc, opt = tmp_path / "etc", tmp_path / "opt"
    etc.mkdir()
    opt.mkdir()
    (opt / "app.service").write_text("ExecStart=/usr/bin/docker run app\n")
    (etc / "app.service").symlink_to(opt / "app.service")
    (etc / "masked.service").symlink_to("/dev/null")
    flags = HOST_DOCKER.command.argv[: HOST_DOCKER.command.argv.index("--")]
    done = subprocess.run([*flags, "--", str(etc)], capture_output=True, text=True, timeout=20, check=False)
    assert done.stdout == f"{etc}/app.service:ExecStart=/usr/bin/docker run app\n"


SS = """\
Netid State  Recv-Q Send-Q              Local Address:Port    Peer Address:Port
u_str ESTAB  0      0                 /run/docker.sock 1160992           * 1160990
u_str ESTAB  0      0                                * 1160990           * 1160992
u_str ESTAB  0      0      /run/containerd/docker.sock 5                 * 6
u_str ESTAB  0      0                 /run/docker.sock 7                 * 0
"""


def test_who_is_connected_to_dockers_socket() -> None:
    assert SOCKET_CLIENTS.parse(Result(0, SS)) == {"1160990"}
    assert SOCKET_CLIENTS.parse(Result(127, "")) == frozenset()
    found = read(
        processes_of(frozenset({"1160990"})),
        "/proc/12/fd/3 socket:[1160990]\n/proc/12/fd/4 socket:[1160990]\n/proc/9/fd/1 socket:[4]\n",
        rc=1,
    )
    assert found == (12,)


def test_processes_in_pods_are_told_apart() -> None:
    text = "/proc/7/comm:agent\n/proc/7/cgroup:0::/system.slice\n/proc/8/comm:x\n/proc/8/cgroup:2:cpu:/kubepods/pod1\n"
    assert read(processes((7, 8, 9)), text, rc=2) == (Process(7, "agent", False), Process(8, "x", True))


def pem(name: str, end: dt.datetime) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), 1, end - dt.timedelta(days=9), end)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def test_certificates_of_files_and_kubeconfigs() -> None:
    end = dt.datetime(2030, 1, 2, tzinfo=dt.UTC)
    one, two = pem("apiserver", end), pem("admin", end + dt.timedelta(days=1))
    lines = [f"/etc/kubernetes/pki/apiserver.crt:{line}" for line in one.decode().splitlines()]
    lines.append(f"/etc/kubernetes/admin.conf:    client-certificate-data: {base64.b64encode(two).decode()}")
    lines.append("/etc/kubernetes/scheduler.conf:    client-certificate-data: ????")
    lines += [f"/etc/kubernetes/pki/bad.crt:{line}" for line in one.decode().replace("MI", "XX").splitlines()]
    found = {(each.path, each.subject): each.not_after for each in parse_certificates("\n".join(lines))}
    assert found == {
        ("/etc/kubernetes/pki/apiserver.crt", "apiserver"): end.timestamp(),
        ("/etc/kubernetes/admin.conf", "admin"): end.timestamp() + 86400,
    }


def test_no_key_is_read() -> None:
    words = certificates().command.argv
    assert next(word for word in words if word.startswith("--include")) == "--include=*.crt"
    assert not any("key" in word for word in words)


POD = EtcdPod("/d", "/d", "https://127.0.0.1:2379", {})


def test_etcds_status() -> None:
    text = (
        '[{"Endpoint":"https://a:2379","Status":{"header":{"member_id":17},"dbSize":20480,"leader":1}},'
        '{"Endpoint":"https://b:2379","Status":{"dbSize":7,"errors":["alarm:NOSPACE "],"isLearner":true}}]'
    )
    fact = etcd_status(("docker", "exec", "id"), POD)
    found = fact.parse(Result(0, text))
    assert [(each.endpoint, each.id, each.db_size, each.errors) for each in found.members] == [
        ("https://a:2379", 17, 20480, ()),
        ("https://b:2379", 0, 7, ("alarm:NOSPACE ",)),
    ]
    assert found.problem == ""
    assert fact.parse(Result(1, "null", "dial refused")).problem == "dial refused"
    assert fact.parse(Result(126, "no etcdctl")).members == ()
    members = etcd_members(("docker", "exec", "id"), POD)
    assert members.parse(Result(0, '{"members":[{"ID":17,"name":"cp1"},{"ID":18}]}')) == {17: "cp1", 18: ""}
    assert members.parse(Result(0, '{"members":[{}]}')) == {}
    assert members.parse(Result(1, "", "x")) == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("User ops may run:\n    (root) NOPASSWD: /usr/bin/cat\n    (root) NOPASSWD: /bin/cat\n", {"cat"}),
        ("    (ALL : ALL) NOPASSWD: ALL\n", None),
        ("    (ALL) NOPASSWD: SETENV: /opt/cni/bin/*, /bin/ls\n", {"/opt/cni/bin/*", "ls"}),
        ("    (ALL : ALL) ALL\n    (root) NOPASSWD: /bin/ls\n", {"ls"}),
        ("    (postgres) NOPASSWD: ALL\n", set()),
        ("    secure_path=/usr/local/sbin\n", set()),
    ],
)
def test_sudos_rule(text: str, expected: set[str] | None) -> None:
    assert parse_sudo_list(text) == expected


@pytest.mark.parametrize(
    ("status", "pending"),
    [
        ("ii", False),
        ("hi", False),
        ("rc", False),
        ("un", False),
        ("iU", True),
        ("iF", True),
        ("iH", True),
        ("iiR", True),
    ],
)
def test_packages_that_dpkg_did_not_finish(status: str, pending: bool) -> None:
    assert Package("x", status, "1").pending is pending


def test_where_a_candidate_comes_from() -> None:
    policy = parse_policy(
        "containerd:\n  Installed: (none)\n  Candidate: 1.4.13\n  Version table:\n     1.4.13 500\n"
        "        500 http://deb/debian bullseye/main amd64 Packages\n        100 /var/lib/dpkg/status\n"
    )
    assert policy.source("1.4.13") == "http://deb/debian bullseye/main"
    assert policy.source("9") == ""


def test_the_kubelets_thresholds() -> None:
    config = parse_kubelet_config("evictionHard:\n  nodefs.available: 1%\n  memory.available: 50Mi\n")
    assert config.eviction_hard == {"nodefs.available": "1%", "memory.available": "50Mi"}
    assert parse_kubelet_config(None).eviction_hard == {}
    assert parse_kubelet_config("imageGCHighThresholdPercent: 70\n").image_gc_high == 70
    assert parse_kubelet_config(None).image_gc_high == 85
