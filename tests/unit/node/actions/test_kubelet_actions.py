from __future__ import annotations

import pytest

from cri_switch.model.errors import CriSwitchError, NotProven
from cri_switch.node.action import Action, Performed, perform
from cri_switch.node.actions.configure_kubelet import configure_kubelet
from cri_switch.node.actions.start_kubelet import start_kubelet
from cri_switch.node.actions.start_runtime import start_runtime
from cri_switch.node.actions.stop_kubelet import stop_kubelet
from tests.unit.node.actions.machine import ENDPOINT, SOCKET, Machine, container, migration

FLAGS = "/var/lib/kubelet/kubeadm-flags.env"
BEFORE = 'KUBELET_KUBEADM_ARGS="--network-plugin=cni --pod-infra-container-image=k8s.gcr.io/pause:3.2"\n'
AFTER = (
    'KUBELET_KUBEADM_ARGS="--pod-infra-container-image=k8s.gcr.io/pause:3.2 --container-runtime=remote'
    f' --container-runtime-endpoint={ENDPOINT}"\n'
)
CONFIG = "/etc/containerd/config.toml"


def act(machine: Machine, action: Action) -> Performed:
    return perform(machine, action, sleep=lambda _s: None)


def flags_action() -> Action:
    return configure_kubelet(migration(), migration_id="m1", kubelet_version="v1.20.2")


def test_stop_kubelet_twice() -> None:
    machine = Machine()
    assert act(machine, stop_kubelet(migration())).summary == "kubelet stopped"
    assert not machine.active["kubelet.service"]
    again = act(machine, stop_kubelet(migration()))
    assert (again.changed, again.summary) == (0, "kubelet was stopped already")


def test_configure_kubelet_writes_the_labs_exact_line_once_and_keeps_the_original() -> None:
    machine = Machine()
    machine.files[FLAGS] = BEFORE
    act(machine, flags_action())
    assert machine.files[FLAGS] == AFTER
    assert machine.files[f"/var/lib/cri-switch/m1/originals{FLAGS}"] == BEFORE
    assert act(machine, flags_action()).changed == 0


@pytest.mark.parametrize(
    ("unit", "extra", "said"),
    [
        ("# /etc/systemd/system/kubelet.service\n[Unit]\nRequires=docker.service\n", "", "Requires=docker.service"),
        ("# /etc/systemd/system/kubelet.service\n[Service]\nExecStartPre=/usr/bin/docker ps\n", "", "ExecStartPre"),
        ("", 'KUBELET_EXTRA_ARGS="--container-runtime=docker"', "/etc/default/kubelet: KUBELET_EXTRA_ARGS"),
        (
            "# /etc/systemd/system/kubelet.service.d/20-cri.conf\n[Service]\n"
            'Environment="X=--container-runtime-endpoint=unix:///var/run/cri-dockerd.sock"\n',
            "",
            "/etc/systemd/system/kubelet.service.d/20-cri.conf: Environment",
        ),
    ],
)
def test_configure_kubelet_refuses_what_would_win_over_the_file(unit: str, extra: str, said: str) -> None:
    machine = Machine()
    machine.files |= {FLAGS: BEFORE, "/etc/default/kubelet": extra} | ({"unit": unit} if unit else {})
    with pytest.raises(NotProven) as caught:
        act(machine, flags_action())
    assert said in caught.value.what
    assert machine.files[FLAGS] == BEFORE


@pytest.mark.parametrize(
    "extra", ["", "# --container-runtime=docker", f"KUBELET_EXTRA_ARGS=--container-runtime-endpoint={ENDPOINT} --v=2"]
)
def test_configure_kubelet_lets_harmless_lines_be(extra: str) -> None:
    machine = Machine()
    machine.files |= {
        FLAGS: BEFORE,
        "/etc/default/kubelet": extra,
        "unit": "# /x\n[Unit]\nAfter=docker.service\nWants=docker.service\n",
    }
    assert act(machine, flags_action()).changed > 0


def test_configure_kubelet_says_that_the_file_is_missing() -> None:
    with pytest.raises(NotProven, match=f"flags file {FLAGS} does not exist"):
        act(Machine(), flags_action())


@pytest.mark.parametrize(
    ("active", "enabled", "config_written", "did"),
    [
        (False, False, 50, ["systemctl enable containerd.service", "systemctl start containerd.service"]),
        (True, True, 150, ["systemctl restart containerd.service"]),
        (True, True, 50, []),
    ],
)
def test_start_runtime_restarts_only_for_a_newer_configuration(
    active: bool, enabled: bool, config_written: float, did: list[str]
) -> None:
    machine = Machine()
    machine.active["containerd.service"], machine.enabled["containerd.service"] = active, enabled
    machine.times = {CONFIG: config_written, SOCKET: 100.0}
    act(machine, start_runtime(migration()))
    assert machine.did == did
    assert act(machine, start_runtime(migration())).changed == 0


def test_start_runtime_without_crictl_says_whom_it_asked() -> None:
    machine = Machine()
    machine.programs.remove("crictl")
    assert "no crictl on the node" in act(machine, start_runtime(migration())).summary


def switched(*, dockerd: bool) -> Machine:
    machine = Machine()
    machine.files[FLAGS] = AFTER
    machine.active |= {"kubelet.service": False, "docker.service": dockerd, "docker.socket": dockerd}
    machine.masked = set() if dockerd else {"docker.service", "docker.socket"}
    return machine


@pytest.mark.parametrize("dockerd", [True, False])
def test_start_kubelet_twice(dockerd: bool) -> None:
    machine = switched(dockerd=dockerd)
    settings = migration(dockerd_until_kubelet=dockerd)
    assert act(machine, start_kubelet(settings)).summary == f"kubelet started on {ENDPOINT}"
    assert machine.did == ["systemctl start kubelet.service"]
    again = act(machine, start_kubelet(settings))
    assert (again.changed, again.summary) == (0, "kubelet ran on the new runtime already")


def test_a_kubelet_that_a_reboot_started_with_the_old_flags_is_restarted() -> None:
    machine = switched(dockerd=True)
    machine.active["kubelet.service"] = True
    machine.kubelet_argv = "/usr/bin/kubelet --network-plugin=cni"
    assert act(machine, start_kubelet(migration())).summary == f"kubelet restarted on {ENDPOINT}"


def spoil_nothing(machine: Machine) -> None:
    machine.files[FLAGS] = BEFORE


def spoil_units(machine: Machine) -> None:
    machine.active["docker.socket"] = True


def spoil_masks(machine: Machine) -> None:
    machine.masked.clear()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [(spoil_nothing, "naming unix"), (spoil_units, "stopped and masked"), (spoil_masks, "stopped and masked")],
)
def test_start_kubelet_does_not_start_while_docker_could_come_back(spoil: object, said: str) -> None:
    machine = switched(dockerd=False)
    spoil(machine)  # type: ignore[operator]
    with pytest.raises(NotProven, match=said):
        act(machine, start_kubelet(migration(dockerd_until_kubelet=False)))
    assert machine.did == []


@pytest.mark.parametrize("dockerd", [True, False])
def test_start_kubelet_never_starts_beside_a_container_of_dockers(
    dockerd: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cri_switch.model.deadline.Deadline.expired", True)
    machine = switched(dockerd=dockerd)
    machine.docker = [container(1, "web")]
    with pytest.raises(CriSwitchError, match="Docker"):
        act(machine, start_kubelet(migration(dockerd_until_kubelet=dockerd)))
    assert machine.did == []
