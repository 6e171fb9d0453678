"""What is read off a node, by answers that a real one gave."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from typing import Any

import pytest

from cri_switch.checks.node_state import check_node_state
from cri_switch.model.migration import Backup, ClusterAccess, Metadata, Migration, Spec
from cri_switch.model.node_ref import NodeRef
from cri_switch.node.command import Result
from cri_switch.node.fake import ScriptedConnection
from tasks.guarded import Guarded
from tasks.node_state import Reading

NODE = NodeRef(name="w1", uid="u", kubelet_version="v1.20.2")
MIGRATION = Migration(
    metadata=Metadata(name="m"), spec=Spec(cluster=ClusterAccess(kubeconfig="-"), backup=Backup(directory="-"))
)
FILES = """\
/etc/os-release:ID=debian
/etc/os-release:VERSION_ID="11"
/proc/self/mounts:/dev/vda / ext4 rw 0 0
/etc/docker/daemon.json:{"live-restore": false}
/var/lib/kubelet/config.yaml:evictionHard: {nodefs.available: 1%}
/var/lib/kubelet/kubeadm-flags.env:KUBELET_KUBEADM_ARGS="--network-plugin=cni"
"""
UNITS = "Id=docker.service\nLoadState=loaded\nActiveState=active\n\nId=cri-docker.service\nLoadState=not-found\n"
INFO = '{"version":"20.10.5","root":"/var/lib/docker","live":false,"swarm":"inactive"}'
DF = "size avail mounted file\n 100000000000 50000000000 / /var/lib\n 100000000000 50000000000 / /var/lib/docker\n"
SUDO = "    (ALL : ALL) NOPASSWD: ALL\n"


def container(name: str, labels: dict[str, str], image: str = "x") -> str:
    state: dict[str, Any] = {"id": name, "name": f"/{name}", "state": "running", "pid": 1, "image": image}
    return json.dumps(state | {"image_id": f"sha256:{name}", "labels": labels})


POD = container("k8s_a", {"io.kubernetes.pod.uid": "u"})


def node(**changes: Any) -> ScriptedConnection:
    answers: dict[str | re.Pattern[str], Any] = {
        "os-release": FILES,
        "systemctl show": UNITS,
        "docker info": INFO,
        "docker ps": "k8s_a\n",
        "--type container": POD,
        "--type image": '{"id":"sha256:k8s_a","tags":["x:1"],"digests":[],"size":1000}',
        "df -B1": DF,
        "systemctl cat": "# /lib/systemd/system/kubelet.service\nExecStart=/usr/bin/kubelet\n",
        "ls -1 -d": Result(2, "".join(f"/usr/bin/{name}\n" for name in ("containerd", "crictl", "pgrep", "ping"))),
        "date": lambda _command: Result(0, f"{time.time()}\n"),
        "sudo -n -l": SUDO,
        "curl": Result(7, ""),
        "grep -R": Result(1, ""),
        "/etc/default/docker": Result(1, ""),
        "/etc/docker/certs.d": Result(2, ""),
        "ss -x": "",
        "dpkg-query": "containerd\tii \t1.4.13~ds1\ndocker.io\tii \t20.10.5\n",
        "apt-cache policy": "",
        "apt-get -s": "",
    }
    first = changes.pop("first", {})
    return ScriptedConnection("w1", first | {key: answer for key, answer in answers.items() if key not in first})


def names(connection: ScriptedConnection) -> list[str]:
    return [each.name for each in check_node_state(Reading(connection, NODE, MIGRATION, Guarded()).state())]


def test_a_whole_node_is_silent_in_few_commands() -> None:
    connection = node()
    assert names(connection) == []
    assert len(connection.ran) <= 19


def test_a_stopped_docker_is_not_woken_up() -> None:
    connection = node(first={"systemctl show": UNITS.replace("=active", "=inactive")})
    assert names(connection) == ["DockerNotActive"]
    assert not any(line.startswith("docker ") for line in connection.lines)


def test_containers_that_are_not_kubernetes() -> None:
    both = "\n".join([POD, container("ci", {}), container("etcd1", {}, "quay.io/coreos/etcd:v3.4")])
    state = Reading(node(first={"--type container": both}), NODE, MIGRATION, Guarded()).state()
    assert (state.foreign_containers, state.etcd_containers) == (("ci", "etcd1"), ("etcd1",))


def test_what_apt_would_do_is_asked_where_containerd_is_missing() -> None:
    policy = "containerd:\n  Installed: (none)\n  Candidate: 1.4.13\n  Version table:\n     1.4.13 500\n"
    policy += "        500 http://deb bullseye/main amd64 Packages\n"
    first = {
        "dpkg-query": "docker-ce\tii \t20\n",
        "apt-cache policy": policy,
        "apt-get -s": "Remv docker-ce [20]\nInst containerd (1.4.13 x)\n",
    }
    state = Reading(node(first=first), NODE, MIGRATION, Guarded()).state()
    assert state.would_remove == ("docker-ce",)
    assert (state.containerd_candidate, state.containerd_source) == ("1.4.13", "http://deb bullseye/main")


def test_programs_of_the_host_on_dockers_socket() -> None:
    first: dict[str | re.Pattern[str], Any] = {
        "ss -x": "u_str ESTAB 0 0 /run/docker.sock 2 * 1\nu_str ESTAB 0 0 /run/docker.sock 4 * 3\n",
        "find /proc": Result(1, "/proc/7/fd/1 socket:[1]\n/proc/8/fd/1 socket:[3]\n"),
        "/proc/7/comm": "/proc/7/comm:agent\n/proc/8/comm:kubelet\n",
    }
    assert Reading(node(first=first), NODE, MIGRATION, Guarded()).state().socket_processes == ("agent (pid 7)",)


def test_the_nodes_clock_is_compared_with_ours() -> None:
    first = {"date": lambda _command: Result(0, f"{time.time() - 60}\n")}
    assert names(node(first=first)) == ["ClockSkew"]


@pytest.mark.parametrize(
    ("role", "there", "missing"),
    [
        ("worker", ["/bin/ping", "/usr/bin/pgrep", "/usr/local/bin/crictl"], ()),
        ("worker", ["/usr/bin/pgrep", "/usr/bin/crictl"], ("ping",)),
        ("worker", ["/usr/bin/pgrep", "/usr/bin/ping"], ("crictl",)),
        ("worker", ["/usr/bin/crictl"], ("ping", "pgrep")),
        ("control-plane", ["/usr/bin/crictl", "/usr/bin/ping", "/usr/bin/pgrep"], ("curl",)),
        ("control-plane", ["/usr/bin/crictl", "/usr/bin/ping", "/usr/bin/pgrep", "/usr/bin/curl"], ()),
    ],
)
def test_programs_without_a_second_way(role: str, there: list[str], missing: tuple[str, ...]) -> None:
    ref = NODE.model_copy(update={"role": role})
    answer = Result(2, "".join(f"{path}\n" for path in there))
    assert Reading(node(first={"ls -1 -d": answer}), ref, MIGRATION, Guarded()).state().missing_programs == missing


def test_a_hosts_toml_of_the_administrators_is_told() -> None:
    path = "/etc/containerd/certs.d/r:5000/hosts.toml"
    files = FILES.replace('{"live-restore": false}', '{"insecure-registries": ["r:5000"]}')
    connection = node(first={path: f"{path}:server = 'mine'\n", "os-release": files})
    state = Reading(connection, NODE, MIGRATION, Guarded()).state()
    assert state.hosts_toml == {path: "server = 'mine'\n"}
    found = check_node_state(replace(state, containerd_candidate="1.6.20"))
    assert [f"w1: {path} is an administrator's own" in each.summary for each in found if each.name == "HostsTomlKept"]


def test_an_environment_file_that_only_the_unit_names_is_read() -> None:
    """As Kubespray has it; it is a file that a saved plan depends on, too."""
    path = "/etc/kubernetes/kubelet.env"
    unit = f"# /etc/systemd/system/kubelet.service\nEnvironmentFile=-{path}\nExecStart=/usr/bin/kubelet $KUBELET_ARGS\n"
    flags = f'{path}:KUBELET_ARGS="--container-runtime=docker --image-pull-progress-deadline=5m"\n'
    reading = Reading(node(first={"systemctl cat": unit, "os-release": FILES + flags}), NODE, MIGRATION, Guarded())
    state = reading.state()
    assert [line.partition(":")[0] for line in state.foreign_flags] == [path]
    assert state.dropped_elsewhere.keys() == {"image-pull-progress-deadline"}
    assert path in reading.hashes()
    assert Reading(node(first={"os-release": FILES + flags}), NODE, MIGRATION, Guarded()).state().foreign_flags == ()


@pytest.mark.parametrize(
    ("files", "unit", "there", "levels"),
    [
        (FILES, "", "", []),
        (FILES.replace("--network-plugin=cni", "--v=2"), "", "", ["error"]),
        (FILES.replace("--network-plugin=cni", "--v=2"), "", "/etc/cni/net.d/10-x.conflist", ["warning"]),
        (FILES.replace("--network-plugin=cni", "--v=2"), "", "/etc/cni/net.d/10-x.conflist.old", ["error"]),
        (FILES.replace("--network-plugin=cni", "--v=2"), "", "/etc/cni/net.d/whereabouts.d/a.conf", ["error"]),
        (FILES.replace("--network-plugin=cni", "--cni-conf-dir=/srv/cni"), "", "/srv/cni/a.conf", ["warning"]),
        (FILES.replace("--network-plugin=cni", "--cni-conf-dir=/srv/cni/"), "", "/srv/cni/a.conf", ["warning"]),
        (FILES.replace("--network-plugin=cni", "--v=2"), "X=--network-plugin=cni", "", []),
        (FILES + "/etc/default/kubelet:KUBELET_EXTRA_ARGS=--network-plugin=cni\n", "", "", []),
    ],
)
def test_a_kubelet_without_a_network_plugin(files: str, unit: str, there: str, levels: list[str]) -> None:
    listed = f"{there}\t644\troot:root\n" if there else ""
    first = {"os-release": files, "find -L": listed, **({"systemctl cat": f"# /u\n{unit}\n"} if unit else {})}
    found = check_node_state(Reading(node(first=first), NODE, MIGRATION, Guarded()).state())
    assert [each.level for each in found if each.name == "KubeletNetworkNotCni"] == levels
    assert {each.name for each in found} <= {"KubeletNetworkNotCni", "KubeletFlagNotCarried"}


def test_keys_that_are_set_twice() -> None:
    files = FILES.replace('{"live-restore": false}', '{"debug": true, "debug": false}')
    files += "/var/lib/kubelet/config.yaml:a: b\n/var/lib/kubelet/config.yaml:a: c\n"
    found = check_node_state(Reading(node(first={"os-release": files}), NODE, MIGRATION, Guarded()).state())
    assert [each.summary.partition(" is")[0] for each in found] == [
        "w1: /etc/docker/daemon.json:1: debug",
        "w1: /var/lib/kubelet/config.yaml:3: a",
    ]
