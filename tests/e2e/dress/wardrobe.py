"""A cluster dressed with one of each problem that a preflight finds, and undressed again."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.e2e.site import Site
from tests.e2e.wait import until

NAMESPACE, GHOST = "dressed", "ghost"
_WORKLOADS = (Path(__file__).parent / "workloads.yaml").read_text()
_STATIC = "/etc/kubernetes/manifests/static-dressed.yaml"
_STATIC_POD = """
apiVersion: v1
kind: Pod
metadata: {name: static-dressed, namespace: dressed}
spec:
  terminationGracePeriodSeconds: 1
  containers: [{name: c, image: lab/app:1, args: [serve], volumeMounts: [{name: v, mountPath: /v.sock}]}]
  volumes: [{name: v, hostPath: {path: /run/docker.sock}}]
"""
_GHOST = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {"name": GHOST, "labels": {"kubernetes.io/os": "linux"}},
    "spec": {"taints": [{"key": "site.example/ghost", "effect": "NoExecute"}]},
    "status": {
        "addresses": [{"type": "InternalIP", "address": "10.77.0.199"}],
        "nodeInfo": {
            "machineID": "", "systemUUID": "", "bootID": "", "kernelVersion": "", "osImage": "Debian",
            "containerRuntimeVersion": "docker://20.10.5", "kubeletVersion": "v1.20.2", "kubeProxyVersion": "v1.20.2",
            "operatingSystem": "linux", "architecture": "amd64",
        },
    },
}  # fmt: skip
_STATUS, _INTERRUPTED = "/var/lib/dpkg/status", "less"
_RULE = "/etc/sudoers.d/cri-switch"
_DAEMON_JSON = "/etc/docker/daemon.json"
_UNIT = "[Unit]\nDescription=prune\n[Service]\nType=oneshot\nExecStart=/usr/bin/docker system prune -f\n"
_CERTS, _DROP_INS = "/etc/docker/certs.d", "/etc/systemd/system/docker.service.d"
_PROXY = "[Service]\nEnvironment=HTTPS_PROXY=http://somebody:hunter2@proxy.example:3128\n"
_EXTRA, _ENVIRONMENT = "/etc/default/kubelet", "/etc/kubernetes/dressed.env"
_DROP_IN = "/etc/systemd/system/kubelet.service.d/90-dressed.conf"
_CRON = "0 3 * * * root /usr/bin/docker image prune -af\n"
_WATCHER = (
    "systemd-run", "--unit=watcher", "--", "curl", "-sN", "--unix-socket", "/run/docker.sock", "http://localhost/events",
)  # fmt: skip


@contextmanager
def dressed(site: Site) -> Iterator[None]:
    """w1: a container of somebody's, a hold, a program on Docker's socket, a unit that is a link, a proxy, certificates
    of a registry, a second containerd; w2: dpkg interrupted, live-restore, keys of daemon.json that are lost or there
    twice, flags of the kubelet in three places, no crictl, a gap in sudo's rule, cron, a static pod on the socket. A
    node that is not there. The workloads.

    w1 is a swarm too. No unit is restarted. Not dressed: a full disk, because the images in use take less here than
    what the kubelets need not to evict, and the clock, because the machines have one together:
    tests/rehearsal/test_dressed.py has both.
    """
    with ExitStack() as stack:
        stack.enter_context(_workloads(site))
        stack.enter_context(_ghost(site))
        stack.enter_context(_w1(site))
        stack.enter_context(_w2(site))
        until("the dressed pods", lambda: len(_pods(site, "Running")) == _PODS, 300)
        until("the finished pod", lambda: _pods(site, "Succeeded") == ["finished"], 300)
        yield


_PODS = 6


@contextmanager
def _workloads(site: Site) -> Iterator[None]:
    site.kubectl("apply", "-f", "-", stdin=_WORKLOADS)
    try:
        yield
    finally:
        site.kubectl("-n", NAMESPACE, "patch", "pod", "bare", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
        site.kubectl("delete", "-f", "-", "--wait=false", stdin=_WORKLOADS)
        site.kubectl("-n", NAMESPACE, "delete", "pods", "--all", "--grace-period=0", "--force", check=False)
        until("the dressed namespace to be gone", lambda: not _namespaces(site), 300)
        for name in site.workers:
            site.root(name, "rm", "-rf", "/srv/guarded")


@contextmanager
def _ghost(site: Site) -> Iterator[None]:
    site.kubectl("create", "-f", "-", stdin=json.dumps(_GHOST))
    try:
        yield
    finally:
        site.kubectl("delete", "node", GHOST)
        until(
            "the ghost's pods to be gone", lambda: not site.get("pods", f"--field-selector=spec.nodeName={GHOST}"), 300
        )


@contextmanager
def _w1(site: Site) -> Iterator[None]:
    node = site.workers[0]
    image = site.root(node, "docker", "ps", "--format", "{{.Image}}").split()[0]
    with ExitStack() as back:

        def dress(*argv: str, undo: tuple[str, ...]) -> None:
            back.callback(site.root, node, *undo)
            site.root(node, *argv)

        dress("docker", "create", "--name", "somebodys", image, undo=("docker", "rm", "somebodys"))
        dress("apt-mark", "hold", "docker.io", undo=("apt-mark", "unhold", "docker.io"))
        dress(*_WATCHER, undo=("systemctl", "stop", "watcher"))
        _swarm(site, node, back)
        unit, target = "/etc/systemd/system/prune.service", "/var/lib/dressed-prune.service"
        dress("ln", "-s", target, unit, undo=("rm", "-f", unit))
        for path, text in ((target, _UNIT), ("/usr/local/bin/containerd", "no program\n")):
            back.callback(site.root, node, "rm", "-f", path)
            site.write(node, path, text)
        back.callback(site.root, node, "systemctl", "daemon-reload")
        for directory, path in ((_CERTS, f"{_CERTS}/r.example:5000/ca.crt"), (_DROP_INS, f"{_DROP_INS}/dressed.conf")):
            back.callback(site.root, node, "find", directory, "-depth", "-type", "d", "-empty", "-delete")
            back.callback(site.root, node, "rm", "-f", path)
            site.write(node, path, _PROXY if path.endswith(".conf") else "")
        site.root(node, "systemctl", "daemon-reload")
        yield


def _swarm(site: Site, node: str, back: ExitStack) -> None:
    """A swarm of one. It leaves its bridge and its rules behind, which go too."""

    def rules() -> None:
        table = ""
        chains = []
        for line in site.root(node, "iptables-save").splitlines():
            table = line[1:] if line.startswith("*") else table
            if line.startswith("-A") and ("DOCKER-INGRESS" in line or "docker_gwbridge" in line):
                site.root(node, "iptables", "-t", table, "-D", *shlex.split(line)[1:])
            elif line.startswith(":DOCKER-INGRESS "):
                chains.append(table)
        for table in chains:
            site.root(node, "iptables", "-t", table, "-X", "DOCKER-INGRESS")

    back.callback(rules)
    back.callback(site.root, node, "docker", "network", "rm", "docker_gwbridge")
    back.callback(site.root, node, "docker", "swarm", "leave", "--force")
    site.root(node, "docker", "swarm", "init", "--advertise-addr", site.address(node))


@contextmanager
def _w2(site: Site) -> Iterator[None]:
    node = site.workers[1]
    with ExitStack() as back:

        def keep(path: str) -> str:
            """Its text; the file itself is put back."""
            away = f"/var/lib/dressed{path.replace('/', '-')}"
            site.root(node, "cp", "-a", path, away)
            back.callback(site.root, node, "mv", away, path)
            return site.read(node, path) or ""

        def add(path: str, text: str) -> None:
            back.callback(site.root, node, "rm", "-f", path)
            site.write(node, path, text)

        def live_restore(on: bool) -> None:
            """A key that is gone says nothing to a running dockerd, so it is turned off before the file is put back."""
            text = json.dumps({**daemon, "live-restore": on})
            if on:  # dockerd takes the last of two; 15 is what it has without a word
                text = text.replace("{", '{"shutdown-timeout": 15, "live-restore": false,\n', 1)
            site.write(node, _DAEMON_JSON, text)
            site.root(node, "systemctl", "reload", "docker")

        daemon = json.loads(keep(_DAEMON_JSON))
        back.callback(live_restore, False)
        live_restore(True)
        site.write(node, _STATUS, _interrupted(keep(_STATUS), _INTERRUPTED))
        lacking = [line for line in keep(_RULE).splitlines(keepends=True) if not line.rstrip().endswith("/umount")]
        site.root(node, "sh", "-c", f"cat > {_RULE}", stdin="".join(lacking))
        crictl = site.root(node, "which", "crictl").strip()
        back.callback(site.root, node, "mv", f"{crictl}.dressed", crictl)
        site.root(node, "mv", crictl, f"{crictl}.dressed")
        keep(_EXTRA)
        site.write(node, _EXTRA, "what\nKUBELET_EXTRA_ARGS=--image-pull-progress-deadline=5m\n")
        add(_ENVIRONMENT, "MORE=--container-runtime=docker\n")
        back.callback(site.root, node, "systemctl", "daemon-reload")
        add(_DROP_IN, f"[Unit]\nRequires=docker.service\n[Service]\nEnvironmentFile=-{_ENVIRONMENT}\n")
        site.root(node, "systemctl", "daemon-reload")
        add("/etc/cron.d/prune", _CRON)
        add(_STATIC, _STATIC_POD)
        yield


def _interrupted(status: str, package: str) -> str:
    """dpkg's own record, as it is when the power went while it configured a package."""
    before, mark, after = status.partition(f"Package: {package}\nStatus: install ok installed")
    assert mark, package
    return f"{before}Package: {package}\nStatus: install ok half-configured{after}"


def _pods(site: Site, phase: str) -> list[str]:
    pods = site.get("pods", f"--field-selector=metadata.namespace={NAMESPACE}")
    return [pod["metadata"]["name"] for pod in pods if pod["status"].get("phase") == phase]


def _namespaces(site: Site) -> list[str]:
    return [each["metadata"]["name"] for each in site.get("namespaces") if each["metadata"]["name"] == NAMESPACE]
