"""A kubelet runs its pods only when runtime and flags really fit, and fails as the real one was seen to."""

from __future__ import annotations

import json

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


def test_a_dangling_log_link_fails_the_first_start() -> None:
    cluster = Switching()
    for name in STEPS[:4]:
        cluster.act(name)
    pod = next(one for one in cluster.machine.kubelet.pods.values() if one["spec"].get("hostNetwork"))
    meta, container = pod["metadata"], pod["spec"]["containers"][0]["name"]
    folder = f"/var/log/pods/{meta['namespace']}_{meta['name']}_{meta['uid']}/{container}"
    cluster.machine.fs.symlink("/var/lib/docker/containers/gone/gone-json.log", f"{folder}/0.log")
    for name in STEPS[4:10]:
        cluster.act(name)
    cluster.pass_time(15)
    assert any("failed to create container loggers" in message for _reason, message in cluster.waiting())


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
