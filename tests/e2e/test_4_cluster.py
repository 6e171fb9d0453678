"""The cluster after the migration, by its own word and that of its machines."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from tests.e2e.before import TAINT, Before
from tests.e2e.look import cluster, containers, iptables, ledger, node, registry
from tests.e2e.look.cluster import warnings
from tests.e2e.migration import Migrated
from tests.e2e.site import Site
from tests.e2e.wait import until_none

pytestmark = pytest.mark.usefixtures("migrated")

_NODES = ("cp1", "w1", "w2")
_ENDPOINT = "unix:///run/containerd/containerd.sock"
_FLAGS = (
    'KUBELET_KUBEADM_ARGS="--pod-infra-container-image=k8s.gcr.io/pause:3.2 --container-runtime=remote'
    f' --container-runtime-endpoint={_ENDPOINT}"\n'
)
_CRI = "io.containerd.grpc.v1.cri"
_REGISTRY = "10.77.0.2:5000"
_FAULTS = ("Failed", "BackOff", "FailedCreatePodSandBox", "FailedMount", "FailedPreStopHook", "FailedKillPod")
# A kubelet that has just started says these of pods that it then starts well, on Docker as on containerd.
_WARM_UP = re.compile(
    "services have not yet been read at least once|failed to sync (configmap|secret) cache"
    "|no relationship found between node"  # the API server's node authorizer hears of the pod a moment later
)
each_node = pytest.mark.parametrize("name", _NODES)


def test_every_node_reports_containerd_and_is_ready(site: Site) -> None:
    assert set(cluster.runtimes(site).values()) == {"containerd://1.4.13"}
    assert cluster.not_ready(site) == []


def test_every_workload_is_whole(site: Site) -> None:
    """A control plane's mirror pods are Ready more than a minute after their containers (peers.md 63)."""
    until_none("everything to be whole", lambda: cluster.not_whole(site), 300, every=1)


def test_every_container_is_containerds(site: Site) -> None:
    assert cluster.not_on(site, "containerd://") == []


def test_no_container_had_a_failed_first_start(site: Site, migrated: Migrated) -> None:
    assert cluster.restarted(site) == []
    faults = warnings(site, _FAULTS, since=migrated.started)
    assert [fault for fault in faults if not _WARM_UP.search(fault)] == []


def test_every_earlier_line_of_the_statefulset_is_there_and_nobody_wrote_twice(site: Site, before: Before) -> None:
    after = ledger.lines(site)
    assert ledger.lost(before.ledger, after) == []
    for name, lines in after.items():
        assert len(lines) > len(before.ledger[name]), name
        assert ledger.interleaved(lines) == [], name


def test_cordons_and_taints_are_as_before(site: Site, before: Before) -> None:
    """The control plane stays cordoned by its administrator, the last worker keeps its taint."""
    assert cluster.cordoned(site) == before.cordoned == {site.control_plane}
    assert cluster.taints(site) == before.taints
    assert before.taints[site.workers[-1]] == [TAINT]


def test_kubeadms_annotation_names_the_new_socket(site: Site) -> None:
    assert set(cluster.cri_sockets(site).values()) == {_ENDPOINT}


def test_nothing_of_the_pipelines_own_is_left_on_the_node_objects(site: Site) -> None:
    assert cluster.marks(site) == {name: [] for name in site.nodes}


def test_the_probe_pods_are_gone(site: Site) -> None:
    assert [pod["metadata"]["name"] for pod in site.get("pods") if pod["metadata"]["namespace"] == "cri-switch"] == []


@each_node
def test_dockers_packages_are_gone_and_containerds_are_not(site: Site, before: Before, name: str) -> None:
    now = node.installed(site, name)
    assert before.packages[name] & set(node.DOCKER_PACKAGES), "there was no Docker to remove"
    assert not now & set(node.DOCKER_PACKAGES)
    assert {"containerd", "runc"} <= now
    assert {"containerd", "runc"} <= node.manual(site, name)
    assert before.packages[name] - now <= set(node.DOCKER_PACKAGES), "more than Docker was removed"
    assert site.code(name, "test", "-d", "/var/lib/docker") == 0, "it was purged"


@each_node
def test_no_mask_and_no_unit_of_dockers_is_left(site: Site, before: Before, name: str) -> None:
    assert node.masks(site, name) == before.masks[name]
    assert node.alive(site, name) == []
    assert node.remains(site, name) == []


@each_node
def test_no_container_of_dockers_and_no_network_attachment_is_left(site: Site, before: Before, name: str) -> None:
    assert before.attachments[name], "there were none to give back"
    assert node.moby(site, name) == []
    assert node.dockershim_attachments(site, name) == []


@each_node
def test_the_kubelets_flags_are_exactly_these(site: Site, name: str) -> None:
    assert site.read(name, node.FLAGS_FILE) == _FLAGS


@each_node
def test_config_toml_is_as_the_kubelet_and_docker_were(site: Site, before: Before, name: str) -> None:
    config = node.containerd_config(site, name)
    assert not {"cri", _CRI} & set(config.get("disabled_plugins", []))
    cri = config["plugins"][_CRI]
    assert (cri["cni"]["bin_dir"], cri["cni"]["conf_dir"]) == ("/opt/cni/bin", "/etc/cni/net.d")
    assert cri["sandbox_image"] == "k8s.gcr.io/pause:3.2"
    runc = cri["containerd"]["runtimes"]["runc"]
    assert runc["options"]["SystemdCgroup"] is (site.lab.cgroup_driver == "systemd")
    mirrors = cri["registry"]["mirrors"]
    assert mirrors["docker.io"]["endpoint"][0] == f"http://{_REGISTRY}"
    assert mirrors[_REGISTRY]["endpoint"] == [f"https://{_REGISTRY}", f"http://{_REGISTRY}"]
    text = site.read(name, "/etc/containerd/config.toml") or ""
    comments = [line for line in before.configs[name].splitlines() if line.lstrip().startswith("#")]
    assert [line for line in comments if line not in text.splitlines()] == []


@each_node
def test_crictl_is_told_the_socket(site: Site, name: str) -> None:
    text = site.read(name, "/etc/crictl.yaml") or ""
    assert re.search(rf"^runtime-endpoint: {re.escape(_ENDPOINT)}$", text, re.MULTILINE), text


@each_node
def test_the_administrators_rules_are_byte_for_byte_as_before(site: Site, before: Before, name: str) -> None:
    now = node.iptables(site, name)
    was = before.iptables[name]
    assert len(iptables.without_docker(was)) > 10, "there were no rules to keep"
    assert iptables.docker_lines(was), "there were no rules of Docker's to remove"
    assert iptables.lasting(now) == iptables.without_docker(was)
    expected = iptables.policies(was)
    assert expected["filter FORWARD"] == "DROP", "Docker's policy was not there"
    assert iptables.policies(now) == expected | {"filter FORWARD": "ACCEPT"}


@each_node
def test_no_address_is_leaked(site: Site, name: str) -> None:
    """host-local's reservations equal the addresses of the pods that run; a Job's pod may just be on its way."""
    difference = lambda: node.reservations(site, name) ^ cluster.addresses(site, name)  # noqa: E731
    until_none(f"reservations on {name} to equal its pods' addresses", difference, 300)
    assert cluster.addresses(site, name)


@each_node
def test_the_hostport_answers(site: Site, name: str) -> None:
    for asking in _NODES:
        answer = site.root(asking, "curl", "-sf", "-m", "3", f"http://{site.address(name)}:9080/")
        assert f"node={name}" in answer


@each_node
def test_every_containers_real_cgroup_lies_under_kubepods(site: Site, name: str) -> None:
    running = containers.running(site, name)
    assert running
    for container in running:
        paths = containers.cgroups(site, name, container)
        assert {"memory", "cpu", "pids"} <= set(paths), paths
        strays = {key: path for key, path in paths.items() if key and not re.match(r"/kubepods(\.slice)?/", path)}
        assert not strays, f"{container.pod}: {strays}"


def test_pods_of_every_node_reach_pods_of_every_other_and_the_service(site: Site) -> None:
    agents = {pod["spec"]["nodeName"]: pod["status"]["podIP"] for pod in site.get("pods", "-l", "app=agent")}
    assert set(agents) == set(_NODES)
    for name in _NODES:
        own = next(each for each in containers.running(site, name) if each.name == "agent")
        for other, address in agents.items():
            answer = containers.fetch(site, name, own, f"http://{address}:8080/")
            assert answer is not None and f"node={other}" in answer, f"{name} -> {other}: {answer}"
        assert containers.fetch(site, name, own, "http://10.96.0.80/") is not None, f"{name} -> Service"


def test_the_registry_was_not_asked_for_an_image_that_could_be_carried(site: Site, migrated: Migrated) -> None:
    """By the registry's own log: the workloads' image could have come from there, and came from Docker's store."""
    assert registry.asked(site, migrated.started, migrated.ended) == []


@each_node
def test_an_image_that_no_node_has_is_pulled(site: Site, name: str) -> None:
    """By the registry's own name (an insecure one), and by Docker Hub's through the mirror."""
    assert "lab/fresh" not in site.root(name, "crictl", "images")
    registry.pull(site, name, [f"{_REGISTRY}/lab/fresh:1", "lab/fresh:1"])
    assert "lab/fresh" in site.root(name, "crictl", "images")


@each_node
def test_what_docker_held_up_is_held_up_by_files(site: Site, name: str) -> None:
    """The kernel's values prove nothing: the bridge plugin turns forwarding on by itself once a pod starts."""
    wanted = {
        "net.ipv4.ip_forward": "1",
        "net.bridge.bridge-nf-call-iptables": "1",
        "net.bridge.bridge-nf-call-ip6tables": "1",
    }
    assert wanted.items() <= node.sysctls(site, name).items()
    assert {"overlay", "br_netfilter"} <= node.modules(site, name)
    for key, value in wanted.items():
        assert site.root(name, "cat", f"/proc/sys/{key.replace('.', '/')}").strip() == value


def test_no_request_failed_while_the_workers_were_switched(site: Site, migrated: Migrated) -> None:
    through = migrated.timeline.all_on(site.workers, "containerd://")
    assert through - migrated.started > timedelta(seconds=20)
    assert migrated.prober.failures(migrated.started, through) == []


def test_no_request_failed_while_the_control_plane_was_switched(site: Site, migrated: Migrated) -> None:
    """Its API is away for a while; the Service is not."""
    through = migrated.timeline.all_on(site.workers, "containerd://")
    assert migrated.prober.failures(through, migrated.ended) == []


def test_the_prober_asked_all_the_time(migrated: Migrated) -> None:
    summary = migrated.prober.summary()
    assert summary["requests"] >= 9 * (migrated.ended - migrated.started).total_seconds(), summary


def test_the_api_was_not_away_for_long(migrated: Migrated) -> None:
    """9 s were measured by hand (node.md A); two cores with all this on them need more."""
    assert migrated.timeline.api_away() < 60
