"""kubeadm: the settings' text, init, joins, and a pod network of bridge plugins and static routes."""

from __future__ import annotations

import json
import secrets
from typing import Any

import yaml

from tests.lab import files, network, services
from tests.lab.kubeconfig import kubeconfig
from tests.lab.machine import execute, write
from tests.lab.process import wait_for
from tests.lab.report import LabError, step
from tests.lab.state import Lab, MachineState
from tests.lab.topology import API_PORT, POD_NETWORK, SERVICE_NETWORK

VERSION = "v1.20.2"
_CONFIG = "/etc/kubernetes/kubeadm-lab.yaml"
_DISCOVERY = "/etc/kubernetes/discovery-lab.conf"
_ADMIN = ("kubectl", "--kubeconfig=/etc/kubernetes/admin.conf")
# Staged images and a disk that others fill too must not make kubelets collect or evict.
_KUBELET = {
    "failSwapOn": False,
    "evictionHard": {"memory.available": "50Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
    "imageGCHighThresholdPercent": 100,
    "imageGCLowThresholdPercent": 99,
}


def new_token() -> str:
    return f"{secrets.token_hex(3)}.{secrets.token_hex(8)}"


def new_certificate_key() -> str:
    """What encrypts the control planes' certificates on their way through the cluster."""
    return secrets.token_hex(32)


def init_config(
    name: str, address: str, token: str, cgroup_driver: str, endpoint: str = "", certificate_key: str = ""
) -> str:
    """kubeadm's settings for the first control plane, with its endpoint named from the start."""
    endpoint = endpoint or f"{address}:{API_PORT}"
    certificates = {"certificateKey": certificate_key} if certificate_key else {}
    kubeadm, kubelet = "kubeadm.k8s.io/v1beta2", "kubelet.config.k8s.io/v1beta1"
    documents: list[dict[str, Any]] = [
        {
            "apiVersion": kubeadm,
            "kind": "InitConfiguration",
            "bootstrapTokens": [{"token": token, "ttl": "0s"}],
            "nodeRegistration": {"name": name},
            "localAPIEndpoint": {"advertiseAddress": address, "bindPort": API_PORT},
            **certificates,
        },
        {
            "apiVersion": kubeadm,
            "kind": "ClusterConfiguration",
            "kubernetesVersion": VERSION,
            "controlPlaneEndpoint": endpoint,
            "networking": {"podSubnet": POD_NETWORK, "serviceSubnet": SERVICE_NETWORK},
        },
        {"apiVersion": kubelet, "kind": "KubeletConfiguration", "cgroupDriver": cgroup_driver, **_KUBELET},
        {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "conntrack": {"maxPerCore": 0},
        },
    ]
    return yaml.safe_dump_all(documents, sort_keys=False)


def join_config(name: str, token: str, address: str = "", certificate_key: str = "") -> str:
    """kubeadm's settings for a further node; with a certificate key, for a control plane.

    It finds the cluster by a file, not by the signed ConfigMap: that one is signed some 20 s after init.
    """
    control = {
        "localAPIEndpoint": {"advertiseAddress": address, "bindPort": API_PORT},
        "certificateKey": certificate_key,
    }
    join = {
        "apiVersion": "kubeadm.k8s.io/v1beta2",
        "kind": "JoinConfiguration",
        "discovery": {"file": {"kubeConfigPath": _DISCOVERY}, "tlsBootstrapToken": token},
        "nodeRegistration": {"name": name},
        **({"controlPlane": control} if certificate_key else {}),
    }
    return yaml.safe_dump(join, sort_keys=False)


def init(lab: Lab, token: str, certificate_key: str) -> None:
    """kubeadm init, without the addon that the lab does not need."""
    spec = lab.control_plane.spec
    upload = ["--upload-certs"] if len(lab.control_planes) > 1 else []
    key = certificate_key if upload else ""
    config = init_config(spec.name, spec.address, token, lab.cgroup_driver, lab.endpoint, key)
    with step("kubeadm init"):
        _kubeadm(lab, lab.control_plane, "init", config, "--skip-phases=preflight,addon/coredns", *upload)


def join(lab: Lab, node: MachineState, token: str, certificate_key: str) -> None:
    """kubeadm join: a worker's at any time, control planes' one after the other, for etcd's members are."""
    authority = (lab.control_plane.root / "etc/kubernetes/pki/ca.crt").read_bytes()
    key = certificate_key if node.spec.role == "control-plane" else ""
    with step(f"{node.spec.name}: kubeadm join"):
        write(node, _DISCOVERY, kubeconfig(f"https://{lab.endpoint}", authority))
        config = join_config(node.spec.name, token, node.spec.address, key)
        _kubeadm(lab, node, "join", config, "--skip-phases=preflight")


def connect_pods(lab: Lab) -> dict[str, str]:
    """Give each node its CNI settings and the routes to the others; the answer is address by pod network."""
    networks = [(_pod_network(lab, node), node.spec.address) for node in lab.nodes]
    for node, (pod_network, address) in zip(lab.nodes, networks, strict=True):
        write(node, files.ROUTES, files.routes(networks, address))
        execute(node, "/usr/local/sbin/lab-network")
        write(node, "/etc/cni/net.d/10-lab.conflist", files.cni_conflist(pod_network))
    by_network = dict(networks)
    services.start(lab, files.routes(networks, lab.server.spec.address))
    network.route_cluster(lab.name, lab.server.spec.address, by_network)
    return by_network


def renew_controllers(lab: Lab) -> None:
    """Let another controller manager lead than the one that saw etcd grow from one member to two.

    Until the second member runs there is no leader, and on a busy machine 1.20's controller manager then never hears
    of a Service again: no Endpoints are made. Seen with its workqueue at rest and the API's caches right.
    """
    name = "kube-controller-manager"
    containers = execute(lab.control_plane, "docker", "ps", "-q", "--filter", f"name=k8s_{name}").stdout.split()
    execute(lab.control_plane, "docker", "kill", *containers)
    execute(lab.control_plane, *_ADMIN, "-n", "kube-system", "delete", "lease", name)  # nobody has to wait it out


def wait_ready(lab: Lab, seconds: float = 120) -> None:
    with step("all nodes Ready"):
        wait_for("all nodes Ready", lambda: _ready(lab) == {node.spec.name for node in lab.nodes}, seconds)


def _ready(lab: Lab) -> set[str]:
    answer = execute(lab.control_plane, *_ADMIN, "get", "nodes", "-o", "json", check=False)
    if answer.returncode != 0:
        return set()
    return {
        node["metadata"]["name"]
        for node in json.loads(answer.stdout)["items"]
        for condition in node["status"]["conditions"]
        if condition["type"] == "Ready" and condition["status"] == "True"
    }


def _pod_network(lab: Lab, node: MachineState) -> str:
    """What the controller manager gave the node."""
    found = ""

    def given() -> bool:
        nonlocal found
        path = "jsonpath={.spec.podCIDR}"
        found = execute(lab.control_plane, *_ADMIN, "get", "node", node.spec.name, "-o", path, check=False).stdout
        return bool(found)

    wait_for(f"a pod network for {node.spec.name}", given, 60)
    return found


def _kubeadm(lab: Lab, node: MachineState, verb: str, config: str, *options: str) -> None:
    """Run it; what it said stays in the lab's directory. Its preflight is skipped: it asks the internet for coredns."""
    write(node, _CONFIG, config)
    command = ["kubeadm", verb, f"--config={_CONFIG}", "--v=2", *options]
    done = execute(node, *command, timeout=400, check=False)
    log = lab.directory / "machines" / f"{node.spec.name}.kubeadm"
    log.write_text(done.stdout + done.stderr)
    if done.returncode != 0:
        raise LabError(f"kubeadm {verb} on {node.spec.name} failed, see {log}\n{done.stderr[-1500:]}")
