from __future__ import annotations

import pytest

from cri_switch.model.errors import NotProven, RemoteTimeout
from cri_switch.node.action import Performed, perform
from cri_switch.node.actions.retire_docker import retire_docker
from tests.unit.node.actions.machine import Machine, container, migration
from tests.unit.render.test_docker_iptables import SAVED, STAYS


def empty_docker() -> Machine:
    machine = Machine()
    machine.iptables = SAVED
    machine.links |= {"br-0123456789ab"}
    return machine


def act(machine: Machine) -> Performed:
    return perform(machine, retire_docker(migration()), sleep=lambda _s: None)


def test_dockerd_and_what_it_keeps_in_the_kernel_go() -> None:
    machine = empty_docker()
    act(machine)
    assert not machine.active["docker.service"]
    assert machine.masked == {"docker.service", "docker.socket"}
    assert machine.links == {"lo", "cni0"}
    assert machine.mounts == []
    assert ":FORWARD ACCEPT" in machine.iptables
    assert "DOCKER-" not in machine.iptables
    assert [text for text in STAYS if text not in machine.iptables] == []
    policy = machine.did.index("iptables -P FORWARD ACCEPT")
    assert policy < machine.did.index("iptables -t filter -D FORWARD -j DOCKER-USER")


def test_a_second_time_there_is_nothing_to_do() -> None:
    machine = empty_docker()
    act(machine)
    again = act(machine)
    assert (again.changed, again.summary) == (0, "dockerd was off and masked already")


@pytest.mark.parametrize("stopped_at", ["-P FORWARD", "-D PREROUTING", "-F DOCKER-USER", "-X DOCKER", "link delete"])
def test_cut_short_anywhere_the_next_run_finishes(stopped_at: str) -> None:
    whole, cut = empty_docker(), empty_docker()
    act(whole)
    action = retire_docker(migration())
    done: list[str] = []

    def until(line: str) -> None:
        done.append(line)
        if stopped_at in line:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        perform(cut, action, say=until, sleep=lambda _s: None)
    act(cut)
    assert cut.iptables == whole.iptables
    assert cut.links == whole.links


def test_a_docker_that_runs_something_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = empty_docker()
    machine.docker = [container(1, "web")]
    clock = iter(range(0, 1000, 5))
    monkeypatch.setattr("cri_switch.model.deadline.Deadline.elapsed", property(lambda _self: float(next(clock))))
    with pytest.raises((RemoteTimeout, NotProven), match="Docker has no containers"):
        act(machine)
    assert machine.did == []
