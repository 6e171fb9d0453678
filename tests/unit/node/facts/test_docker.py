from __future__ import annotations

import pytest

from cri_switch.model.errors import RemoteCommandFailed
from cri_switch.node.command import Result
from cri_switch.node.facts.docker import DOCKER_SHIMS, docker_containers
from cri_switch.node.facts.log_links import DOCKER_LOG_LINKS

# Docker 20.10.5 with dockershim of kubelet 1.20.2, shortened.
LINE = (
    '{"id":"e086","name":"/k8s_ledger_ledger-0_lab_d916_0","state":"running","pid":2148,"image":"sha256:b3b0",'
    '"image_id":"sha256:b3b0","labels":{"annotation.io.kubernetes.container.ports":"[{\\"name\\":\\"http\\"}]",'
    '"annotation.io.kubernetes.pod.terminationGracePeriod":"20","io.kubernetes.container.name":"ledger",'
    '"io.kubernetes.docker.type":"container","io.kubernetes.pod.name":"ledger-0","io.kubernetes.pod.namespace":"lab",'
    '"io.kubernetes.pod.uid":"d916","io.kubernetes.sandbox.id":"9dd2"}}'
)
FOREIGN = '{"id":"f1","name":"/reg","state":"exited","pid":0,"image":"registry:2","image_id":"sha256:1","labels":null}'
SHIMS = (
    "1034 /usr/bin/containerd-shim-runc-v2 -namespace moby -id 2f71 -address /run/containerd/containerd.sock\n"
    "1035 containerd-shim -namespace moby -workdir /var/lib/docker/containerd/x -address /x.sock\n"
    "1036 /usr/bin/containerd-shim-runc-v2 -namespace k8s.io -id 2f72 -address /run/containerd/containerd.sock\n"
    "1037 bash -c pgrep -a containerd-shim moby\n"
)
A, B = "a" * 64, "b" * 64
LINKS = f"""\
  1876123      4 lrwxrwxrwx   1 root     root          165 Nov 23 19:18 /var/log/pods/lab_a/x/0.log -> \
/data/docker/containers/{A}/{A}-json.log
  1876124      4 lrwxrwxrwx   1 root     root          165 Nov 23 19:18 /var/log/containers/x.log -> \
/var/log/pods/lab_a/x/0.log
  1876125      4 lrwxrwxrwx   1 root     root          165 Nov 23 19:18 /var/log/containers/y.log -> \
/var/log/pods/lab_b/y/0.log
  1876126      4 lrwxrwxrwx   1 root     root          165 Nov 23 19:18 /var/log/pods/lab_c/0.log -> \
/srv/containers/{A}/{B}-json.log
"""


def test_containers_say_whose_they_are() -> None:
    mine, foreign = docker_containers(["e086", "f1"]).parse(Result(0, f"{LINE}\n{FOREIGN}\n"))
    assert (mine.kubernetes, mine.sandbox, mine.running, mine.pod, mine.container_name, mine.grace) == (
        True,
        False,
        True,
        "lab/ledger-0",
        "ledger",
        20,
    )
    assert (foreign.kubernetes, foreign.running, foreign.name, foreign.grace) == (False, False, "reg", 30)


def test_a_container_that_went_meanwhile_is_left_out_and_other_errors_are_not() -> None:
    fact = docker_containers(["e086", "gone"])
    assert len(fact.parse(Result(1, f"{LINE}\n", "Error: No such container: gone\n"))) == 1
    with pytest.raises(RemoteCommandFailed, match="Cannot connect"):
        fact.parse(Result(1, "", "Cannot connect to the Docker daemon at unix:///var/run/docker.sock.\n"))


def test_no_ids_ask_docker_nothing() -> None:
    fact = docker_containers([])
    assert "docker" not in fact.command.argv
    assert fact.parse(Result(0, "")) == ()


def test_only_shims_of_moby_count() -> None:
    assert [line.split()[0] for line in DOCKER_SHIMS.parse(Result(0, SHIMS))] == ["1034", "1035"]


def test_links_into_dockers_root_wherever_it_is_and_links_to_those() -> None:
    found = DOCKER_LOG_LINKS.parse(Result(1, LINKS, "find: '/var/log/containers': No such file or directory"))
    assert found == ("/var/log/containers/x.log", "/var/log/pods/lab_a/x/0.log")
