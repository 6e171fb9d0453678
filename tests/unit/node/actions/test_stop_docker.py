from __future__ import annotations

from typing import Any

import pytest

from cri_switch.model.errors import NotProven
from cri_switch.node.action import perform
from cri_switch.node.actions.stop_docker import stop_docker
from cri_switch.node.command import Result
from cri_switch.render.cni_iptables import stale_rules
from tests.unit.node.actions.machine import Machine, container, migration
from tests.unit.render.test_cni_cache import cache_file
from tests.unit.render.test_cni_iptables import LIVE, saved
from tests.unit.render.test_docker_iptables import SAVED, apply

CACHE = "/var/lib/cni/cache/results"


def control_plane() -> Machine:
    machine = Machine()
    machine.active["kubelet.service"] = False
    machine.iptables = SAVED
    machine.files["/var/lib/kubelet/kubeadm-flags.env"] = 'KUBELET_KUBEADM_ARGS="--network-plugin=cni"\n'
    names = ("etcd", "kube-scheduler", "web", "kube-apiserver")
    machine.docker = [container(i, name, grace=20 if name == "web" else 30) for i, name in enumerate(names, start=1)]
    machine.docker.append(container(9, "web-pod", sandbox=True))
    pause = f"{9:064x}"
    machine.files[f"{CACHE}/lab-{pause}-eth0"] = cache_file(containerId=pause)
    machine.files[f"{CACHE}/cni-loopback-{pause}-lo"] = cache_file(containerId=pause, networkName="cni-loopback")
    machine.files[f"{CACHE}/lab-dead-eth0"] = cache_file(containerId="dead")
    log = f"/var/lib/docker/containers/{'a' * 64}/{'a' * 64}-json.log"
    machine.log_links = {
        "/var/log/pods/kube-system_web_1/web/0.log": log,
        "/var/log/containers/web.log": "/var/log/pods/kube-system_web_1/web/0.log",
        "/var/log/pods/other/0.log": "/srv/elsewhere.log",
    }
    return machine


def act(machine: Machine, **spec: Any) -> tuple[int, str]:
    done = perform(machine, stop_docker(migration(**spec), migration_id="m1"), sleep=lambda _s: None)
    return done.changed, done.summary


def test_the_order_that_leaves_nothing_behind() -> None:
    machine = control_plane()
    _changed, summary = act(machine)
    did = machine.did
    assert did[:4] == [
        "docker stop -t 30 kube-apiserver",
        "docker stop -t 20 web",
        "docker stop -t 30 kube-scheduler",
        "docker stop -t 30 etcd",
    ]
    dels = [line for line in did if line.startswith("/opt/cni/bin/")]
    assert [line.split()[0].rpartition("/")[2] for line in dels] == ["portmap", "bridge", "portmap", "bridge"]
    assert [("CNI_NETNS=/proc/1009/ns/net" in line, "CNI_NETNS= " in line) for line in dels] == [
        (True, False),
        (True, False),
        (False, True),  # its sandbox is gone: the empty name space is the fallback
        (False, True),
    ]
    pause = did.index("docker stop -t 20 web-pod")
    assert all(did.index(line) < pause for line in dels)
    assert did[pause + 1] == "docker rm 5"
    assert not [path for path in machine.files if path.startswith(CACHE)]
    assert list(machine.log_links) == ["/var/log/pods/other/0.log"]
    assert summary == "5 containers stopped and removed, 2 network attachments given back, 2 log links removed"
    assert machine.active["docker.service"], "dockerd stays until the kubelet is Ready"


@pytest.mark.parametrize("until_kubelet", [True, False])
def test_a_second_time_there_is_nothing_to_do(until_kubelet: bool) -> None:
    machine = control_plane()
    act(machine, dockerd_until_kubelet=until_kubelet)
    assert act(machine, dockerd_until_kubelet=until_kubelet) == (0, "Docker ran nothing already")


def test_without_waiting_for_the_kubelet_dockerd_goes_at_once_the_socket_first() -> None:
    machine = control_plane()
    act(machine, dockerd_until_kubelet=False)
    units = [line for line in machine.did if line.startswith("systemctl")]
    assert units == [
        "systemctl stop docker.socket",
        "systemctl stop docker.service",
        "systemctl mask docker.socket docker.service",
    ]
    assert machine.did.index("docker rm 5") < machine.did.index(units[0])


def with_rules() -> Machine:
    """Rules of a pod that has an attachment, of one that was gone before, and an administrator's."""
    machine = control_plane()
    machine.iptables = saved()
    machine.files[f"/var/lib/cni/results/lab-{LIVE}-eth0"] = cache_file(containerId=LIVE)
    return machine


def test_rules_of_sandboxes_that_were_gone_before_go_and_nothing_else() -> None:
    machine = with_rules()
    summary = act(machine)[1]
    stale = stale_rules(saved(), {LIVE})
    assert f"{len(stale.lines)} iptables lines of 1 sandboxes that were gone before removed" in summary
    assert machine.iptables == apply(saved(), stale)
    assert machine.did.index("docker rm 5") < min(
        n for n, line in enumerate(machine.did) if line.startswith("iptables")
    )
    assert act(machine) == (0, "Docker ran nothing already")


def test_rules_stay_while_a_kubelet_runs_that_may_be_making_a_pod() -> None:
    machine = with_rules()
    machine.docker, machine.active["kubelet.service"] = [], True
    act(machine)
    assert machine.iptables == saved()


def test_a_dry_run_changes_nothing_and_names_the_steps() -> None:
    machine = control_plane()
    done = perform(machine, stop_docker(migration(), migration_id="m1"), dry_run=True)
    assert machine.did == []
    assert done.changed > 8


def test_foreign_containers_are_refused_before_anything_is_touched() -> None:
    machine = control_plane()
    machine.docker.append(container(10, "registry", foreign=True))
    with pytest.raises(NotProven, match="k8s_registry"):
        act(machine)
    assert machine.did == []
    act(machine, allow_foreign_containers=True)
    assert machine.docker == []


def test_a_running_kubelet_is_refused() -> None:
    machine = control_plane()
    machine.active["kubelet.service"] = True
    with pytest.raises(NotProven, match="kubelet stopped"):
        act(machine)
    assert machine.did == []


def test_containers_without_dockerd_are_refused() -> None:
    machine = control_plane()
    machine.active["docker.service"] = False
    with pytest.raises(NotProven, match="dockerd is off, but 5 of its containers run"):
        act(machine)


def test_a_plugin_that_fails_is_said_and_its_attachment_is_tried_again_by_the_next_run() -> None:
    machine = control_plane()
    machine.fails["/opt/cni/bin/portmap"] = Result(1, '{"code": 100, "msg": "no chain"}')
    _changed, summary = act(machine)
    assert "CNI DEL failed: portmap of 0000" in summary
    assert "no chain" in summary
    assert len([path for path in machine.files if path.startswith(f"{CACHE}/lab")]) == 2
    machine.fails.clear()
    assert act(machine)[1] == "2 network attachments given back"
