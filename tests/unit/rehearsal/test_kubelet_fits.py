"""A kubelet runs its pods only when runtime and flags really fit, and fails as the real one was seen to."""

from __future__ import annotations

import json
from typing import Any

from cri_switch.node.facts.cri import ENDPOINT, cri_containers
from cri_switch.node.proof import runtime_proof
from tests.unit.rehearsal.switching import STEPS, Switching

FLAGS = "/var/lib/kubelet/kubeadm-flags.env"
REMOTE = "--container-runtime=remote --container-runtime-endpoint=unix:///run/containerd/containerd.sock"


def _with(config: str, cgroup_driver: str = "cgroupfs") -> Switching:
    """A node switched by hand with a config.toml of one's own."""
    cluster = Switching(cgroup_driver=cgroup_driver)
    for name in STEPS[2:4]:
        cluster.act(name)
    cluster.put("/etc/containerd/config.toml", config)
    cluster.put(FLAGS, f'KUBELET_KUBEADM_ARGS="{REMOTE}"\n')
    cluster.sudo("systemctl", "restart", "containerd")
    cluster.pass_time(1)
    cluster.sudo("systemctl", "start", "kubelet")
    cluster.pass_time(15)
    return cluster


def test_a_disabled_cri_plugin_keeps_the_kubelet_restarting() -> None:
    cluster = _with('disabled_plugins = ["cri"]\n')
    assert "unknown service runtime.v1alpha2.RuntimeService" in cluster.sudo("crictl", "info").stderr
    assert cluster.machine.systemd.state("kubelet.service").sub == "auto-restart"
    assert "unknown service" in cluster.sudo("journalctl", "-u", "kubelet", "-n", "50").stdout


def test_a_name_of_schema_1_does_nothing_in_schema_2() -> None:
    cluster = _with('version = 2\ndisabled_plugins = ["cri"]\n')
    assert cluster.sudo("crictl", "info").rc == 0


def test_the_distributions_bin_dir_leaves_pods_in_container_creating() -> None:
    cluster = _with(
        'version = 2\n[plugins."io.containerd.grpc.v1.cri"]\nsandbox_image = "registry.k8s.io/pause:3.2"\n'
        '[plugins."io.containerd.grpc.v1.cri".cni]\nbin_dir = "/usr/lib/cni"\n'
    )
    assert cluster.ready()[0] == "True"
    creating = {message for reason, message in cluster.waiting() if reason == "ContainerCreating"}
    assert creating == {'failed to find plugin "bridge" in path [/usr/lib/cni]'}


def test_a_socket_that_nobody_listens_on_keeps_the_kubelet_restarting() -> None:
    cluster = Switching()
    cluster.upto("configure_kubelet")
    cluster.put(FLAGS, f'KUBELET_KUBEADM_ARGS="{REMOTE.replace("containerd.sock", "cri.sock")}"\n')
    assert cluster.sudo("systemctl", "start", "kubelet").rc == 0
    cluster.pass_time(60)
    state = cluster.machine.systemd.state("kubelet.service")
    assert (state.active, state.sub) == ("activating", "auto-restart")
    assert state.restarts > 0
    said = cluster.sudo("journalctl", "-u", "kubelet", "-n", "9").stdout
    assert "dial unix /run/containerd/cri.sock: connect: no such file or directory" in said
    assert cluster.ready()[0] == "Unknown"


def test_a_conf_dir_without_a_network_keeps_the_node_not_ready() -> None:
    cluster = _with('version = 2\n[plugins."io.containerd.grpc.v1.cri".cni]\nconf_dir = "/etc/cni/none"\n')
    assert cluster.ready()[0] == "False"
    assert "NetworkPluginNotReady" in cluster.ready()[1]
    assert '"reason": "NetworkPluginNotReady"' in cluster.sudo("crictl", "info").stdout


def test_a_pause_image_that_nobody_has() -> None:
    cluster = _with('version = 2\n[plugins."io.containerd.grpc.v1.cri"]\nsandbox_image = "k8s.gcr.io/pause:9"\n')
    assert any("failed to get sandbox image" in message for _reason, message in cluster.waiting())


def test_a_docker_with_another_cgroup_driver_keeps_the_kubelet_restarting() -> None:
    """From the restart of dockerd on: what daemon.json says before that changes nothing."""
    cluster = Switching()
    daemon = json.dumps({"exec-opts": ["native.cgroupdriver=systemd"]})
    cluster.put("/etc/docker/daemon.json", daemon)
    cluster.sudo("systemctl", "restart", "kubelet")
    cluster.pass_time(60)
    assert cluster.ready()[0] == "True"
    cluster.sudo("systemctl", "restart", "docker")
    cluster.sudo("systemctl", "restart", "kubelet")
    cluster.pass_time(60)
    state = cluster.machine.systemd.state("kubelet.service")
    assert (state.active, state.sub) == ("activating", "auto-restart")
    said = cluster.sudo("journalctl", "-u", "kubelet", "-n", "9").stdout
    assert 'kubelet cgroup driver: "cgroupfs" is different from docker cgroup driver: "systemd"' in said
    assert cluster.ready()[0] == "Unknown"


def test_the_wrong_cgroup_driver_is_silent_but_for_the_cgroup() -> None:
    cluster = _with(
        'version = 2\n[plugins."io.containerd.grpc.v1.cri"]\nsandbox_image = "registry.k8s.io/pause:3.2"\n',
        cgroup_driver="systemd",
    )
    cluster.machine.containerd.add_image(cluster.machine.docker.pull_anyway("k8s.gcr.io/kube-proxy:v1.20.2"))
    cluster.pass_time(10)
    assert cluster.ready()[0] == "True"
    assert any("is not under kubepods" in problem for problem in runtime_proof(cluster.connection).problems)


def test_a_broken_config_makes_containerd_fail_loudly() -> None:
    cluster = Switching()
    cluster.put("/etc/containerd/config.toml", "version = 9\n")
    answer = cluster.sudo("systemctl", "restart", "containerd")
    assert answer.rc == 1
    assert "control process exited with error code" in answer.stderr
    assert cluster.sudo("crictl", "info").rc == 1


def test_a_flag_that_this_kubelet_does_not_know() -> None:
    cluster = Switching()
    cluster.put(FLAGS, 'KUBELET_KUBEADM_ARGS="--no-such-flag=1"\n')
    assert cluster.sudo("systemctl", "restart", "kubelet").rc == 0
    cluster.pass_time(2)
    assert cluster.machine.systemd.state("kubelet.service").active == "activating"
    assert "unknown flag: --no-such-flag" in cluster.sudo("journalctl", "-u", "kubelet", "-n", "9").stdout


def test_docker_without_dockerd_never_turns_ready() -> None:
    cluster = Switching()
    cluster.sudo("systemctl", "stop", "docker.socket", "docker.service", "kubelet")
    cluster.sudo("systemctl", "start", "kubelet")
    cluster.pass_time(30)
    assert cluster.machine.systemd.state("kubelet.service").restarts > 0


def test_the_kubelets_cadvisor_brings_docker_back_by_its_socket() -> None:
    cluster = Switching()
    cluster.upto("configure_kubelet")
    cluster.sudo("systemctl", "stop", "docker.service")
    assert not cluster.machine.docker.up
    cluster.sudo("systemctl", "start", "kubelet")
    assert cluster.machine.docker.up


class _Dangling:
    """A node switched with dangling links in the place of one container's first logs, its kubelet just started."""

    def __init__(self, *logs: str) -> None:
        self.cluster = Switching()
        for name in STEPS[:4]:
            self.cluster.act(name)
        pod = next(one for one in self.cluster.machine.kubelet.pods.values() if one["spec"].get("hostNetwork"))
        self.meta, self.container = pod["metadata"], pod["spec"]["containers"][0]["name"]
        self.folder = (
            f"/var/log/pods/{'_'.join(self.meta[key] for key in ('namespace', 'name', 'uid'))}/{self.container}"
        )
        for name in logs:
            self.cluster.machine.fs.symlink("/var/lib/docker/containers/gone/gone-json.log", f"{self.folder}/{name}")
        for name in STEPS[4:10]:
            self.cluster.act(name)

    def status(self) -> dict[str, Any]:
        """Its containerStatus in the API."""
        found = self.cluster.world.store.get("Pod", self.meta["name"], self.meta["namespace"])
        assert found is not None
        (status,) = found["status"]["containerStatuses"]
        return dict(status)

    def attempts(self) -> list[tuple[int, str]]:
        """Number and state of each, by crictl."""
        listed = cri_containers(ENDPOINT, every=True).read(self.cluster.connection)
        mine = [one for one in listed if one.pod == f"{self.meta['namespace']}/{self.meta['name']}"]
        return sorted((one.attempt, one.state) for one in mine)

    def said(self, number: int) -> str:
        """What containerd says of an attempt whose log cannot be made."""
        return (
            "failed to create containerd task: failed to create container loggers: failed to create and open log file:"
            f" open {self.folder}/{number}.log: no such file or directory"
        )


def test_a_dangling_log_link_costs_one_restart() -> None:
    node = _Dangling("0.log")
    node.cluster.pass_time(15)
    status = node.status()
    assert (status["ready"], status["restartCount"], list(status["state"])) == (True, 1, ["running"])
    last = status["lastState"]["terminated"]
    assert (last["reason"], last["exitCode"], last["startedAt"]) == ("StartError", 128, "1970-01-01T00:00:00Z")
    assert last["message"] == node.said(0)
    assert node.attempts() == [(0, "CONTAINER_EXITED"), (1, "CONTAINER_RUNNING")]
    journal = node.cluster.sudo("journalctl", "-u", "kubelet", "-n", "200").stdout
    assert f"RunContainerError: {node.said(0)}" in journal


def test_more_dangling_log_links_make_the_kubelet_back_off() -> None:
    node, seen = _Dangling("0.log", "1.log"), dict[tuple[str, str], None]()
    for _ in range(12):
        waiting = node.status()["state"].get("waiting", {})
        seen[waiting.get("reason", ""), waiting.get("message", "")] = None
        node.cluster.pass_time(1)
    who = f"{node.meta['name']}_{node.meta['namespace']}({node.meta['uid']})"
    back_off = f"back-off 10s restarting failed container={node.container} pod={who}"
    assert list(seen)[-2:] == [("RunContainerError", node.said(1)), ("CrashLoopBackOff", back_off)]
    node.cluster.pass_time(15)
    assert node.status()["restartCount"] == 2
    assert node.status()["lastState"]["terminated"]["message"] == node.said(1)
    assert node.attempts() == [(1, "CONTAINER_EXITED"), (2, "CONTAINER_RUNNING")]


def test_a_reboot_leaves_the_addresses_held_and_starts_on_what_the_flags_say() -> None:
    cluster = Switching()
    held = [name for name in cluster.machine.fs.names("/var/lib/cni/networks/lab") if name[0].isdigit()]
    boot = cluster.machine.kernel.boot_id
    cluster.machine.reboot()
    cluster.pass_time(60)
    now = [name for name in cluster.machine.fs.names("/var/lib/cni/networks/lab") if name[0].isdigit()]
    assert cluster.machine.kernel.boot_id != boot
    assert cluster.ready()[0] == "True"
    assert held
    assert len(now) == len(held)
    assert set(now) != set(held)
