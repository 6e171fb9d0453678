"""Whether this control-plane node's own API server and etcd are well, asked on the node itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import yaml

from cri_switch.model.deadline import Deadline
from cri_switch.model.errors import NotProven, RemoteTimeout
from cri_switch.node.command import Result, plain, sudo
from cri_switch.node.connection import Connection
from cri_switch.node.fact import Fact
from cri_switch.node.facts.cri import ENDPOINT, cri_containers
from cri_switch.node.files import file_fact

MANIFESTS = "/etc/kubernetes/manifests"
API_MANIFEST, ETCD_MANIFEST = f"{MANIFESTS}/kube-apiserver.yaml", f"{MANIFESTS}/etcd.yaml"


@dataclass(frozen=True)
class StaticPod:
    """A static pod's first container: its name and its flags (`--a=b` as {"a": "b"})."""

    name: str
    flags: dict[str, str] = field(default_factory=dict, hash=False)


def parse_manifest(path: str, text: str | None) -> StaticPod | None:
    """Read a manifest; None where there is no file (etcd may be external).

    Raises: NotProven when it is not a Pod with a container.
    """
    if text is None:
        return None
    try:
        container = yaml.safe_load(text)["spec"]["containers"][0]
        words = [str(word) for word in [*(container.get("command") or []), *(container.get("args") or [])]]
        pairs = (word[2:].partition("=") for word in words if word.startswith("--"))
        return StaticPod(str(container["name"]), {name: value for name, _equals, value in pairs})
    except (yaml.YAMLError, KeyError, IndexError, TypeError, AttributeError) as problem:
        raise NotProven(f"{path} is not the manifest of a pod: {problem}", next_step=f"look at it: {path}") from problem


def api_address(manifest: StaticPod) -> str:
    """`host:port` at which the node's own API server answers on the node."""
    host = manifest.flags.get("bind-address", "")
    host = "127.0.0.1" if host in ("", "0.0.0.0", "::") else host  # noqa: S104 (it is what the manifest says)
    return f"{f'[{host}]' if ':' in host else host}:{manifest.flags.get('secure-port', '6443')}"


def readyz(address: str) -> Fact[int]:
    """The HTTP code of the local /readyz: 200 is ready, 403 and 500 are warming up, 0 is no answer."""

    def parse(result: Result) -> int:
        return int(result.stdout) if result.stdout.isdigit() else 0

    words = ("curl", "-sk", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}", f"https://{address}/readyz")
    return Fact("local /readyz", plain(*words, ok=(0, 7, 28, 35, 52, 56)), parse)


def etcd_health(endpoint: str, container_id: str, manifest: StaticPod) -> Fact[str]:
    """ "" when etcd's member on this node is healthy, else what etcdctl says; asked inside etcd's own container."""
    flags = manifest.flags
    urls = flags.get("listen-client-urls", "https://127.0.0.1:2379").split(",")
    url = next((one for one in urls if "127.0.0.1" in one), urls[0])
    etcdctl = ["etcdctl", f"--endpoints={url}"]
    for option, flag in (("cacert", "trusted-ca-file"), ("cert", "cert-file"), ("key", "key-file")):
        if flag in flags:
            etcdctl.append(f"--{option}={flags[flag]}")

    def parse(result: Result) -> str:
        said = (result.stdout + result.stderr).strip()
        return "" if result.rc == 0 and "is healthy" in said else said or f"exit code {result.rc}"

    words = ("crictl", "--runtime-endpoint", endpoint, "exec", "-s", container_id, *etcdctl, "endpoint", "health")
    return Fact("etcd's health", sudo(*words, ok=range(256)), parse)


def prove_control_plane(
    connection: Connection,
    endpoint: str = ENDPOINT,
    *,
    seconds: float,
    sleep: Callable[[float], None] = time.sleep,
) -> str:
    """Wait until the node's own /readyz answers 200 and its etcd member, if it has one, is healthy; one line.

    Raises:
        NotProven: the node has no API server's manifest.
        RemoteTimeout: not within `seconds`.
    """
    api = parse_manifest(API_MANIFEST, file_fact(API_MANIFEST).read(connection).text)
    etcd = parse_manifest(ETCD_MANIFEST, file_fact(ETCD_MANIFEST).read(connection).text)
    if api is None:
        raise NotProven(f"{connection.node}: {API_MANIFEST} does not exist", next_step="is it a control-plane node?")
    deadline = Deadline.after(seconds)
    while True:
        code = readyz(api_address(api)).read(connection)
        ill = _etcd_problem(connection, endpoint, etcd) if etcd else ""
        if code == 200 and not ill:
            return f"/readyz on {api_address(api)} is ok, " + (
                "etcd's member is healthy" if etcd else "etcd is external"
            )
        if deadline.expired:
            raise RemoteTimeout(
                f"{connection.node}: the control plane is not well after {seconds:.0f} s:"
                f" /readyz answers {code or 'nothing'}{f', etcd: {ill[:500]}' if ill else ''}",
                next_step="on the node: sudo crictl ps -a; journalctl -u kubelet -n 50",
            )
        sleep(min(1.0, deadline.remaining))


def _etcd_problem(connection: Connection, endpoint: str, manifest: StaticPod) -> str:
    running = [
        one
        for one in cri_containers(endpoint).read(connection)
        if one.name == manifest.name and one.state == "CONTAINER_RUNNING" and one.pod.startswith("kube-system/")
    ]
    return etcd_health(endpoint, running[0].id, manifest).read(connection) if running else "its container does not run"
