"""What the two workers wear, each with other problems: some exclude each other on one machine."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import yaml

from tests.e2e.dress.hanger import Hanger
from tests.e2e.site import Site

STATUS = "/var/lib/dpkg/status"
_FLAGS, _CONFIG = "/var/lib/kubelet/kubeadm-flags.env", "/var/lib/kubelet/config.yaml"
_RULE = "/etc/sudoers.d/cri-switch"
_DAEMON_JSON = "/etc/docker/daemon.json"
_UNIT = "[Unit]\nDescription=prune\n[Service]\nType=oneshot\nExecStart=/usr/bin/docker system prune -f\n"
_PROXY = "[Service]\nEnvironment=HTTPS_PROXY=http://somebody:hunter2@proxy.example:3128\n"
_EXTRA, _ENVIRONMENT = "/etc/default/kubelet", "/etc/kubernetes/dressed.env"
_DROP_IN = "/etc/systemd/system/kubelet.service.d/90-dressed.conf"
_CRON = "0 3 * * * root /usr/bin/docker image prune -af\n"
_WATCHER = (
    "systemd-run", "--unit=watcher", "--", "curl", "-sN", "--unix-socket", "/run/docker.sock", "http://localhost/events",
)  # fmt: skip
_METADATA, _NOBODY = "169.254.169.254/32", "10.77.0.198"
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


def packages(status: str, package: str, field: str, text: str) -> str:
    """dpkg's own record with another text in a field of a package; one that it has not comes last."""
    before, mark, after = status.partition(f"Package: {package}\nStatus: install ok ")
    assert mark, package
    paragraph, end, after = f"{mark}{after}".partition("\n\n")
    lines = paragraph.splitlines()
    place = next((number for number, line in enumerate(lines) if line.startswith(f"{field}: ")), len(lines))
    lines[place : place + 1] = [f"{field}: {text}"]
    return before + "\n".join(lines) + end + after


@contextmanager
def first(site: Site, node: str) -> Iterator[None]:
    """Containers of somebody's and of etcd's, a swarm, a hold, a program on Docker's socket, a unit that is a link,
    cri-dockerd by its unit's name, a proxy, certificates of a registry, a second containerd; a clock and a metadata
    address that are wrong for who asks; a newer containerd in dpkg's record; daemon.json, the kubelet's flags and its
    thresholds as nobody has read them yet, a hosts.toml, a crictl.yaml that is none.
    """
    image = site.root(node, "docker", "ps", "--format", "{{.Image}}").split()[0]
    with ExitStack() as back:
        wear = Hanger(site, node, back)
        wear.change(STATUS, packages(wear.read(STATUS), "containerd", "Version", "1.6.2~ds1-1"))
        wear.run("apt-mark", "hold", "docker.io", undo=("apt-mark", "unhold", "docker.io"))
        for name in ("somebodys", "etcd1"):
            wear.run("docker", "create", "--name", name, image, undo=("docker", "rm", name))
        wear.run(*_WATCHER, undo=("systemctl", "stop", "watcher"))
        cri_dockerd = ("systemd-run", "--unit=cri-docker", "--", "sleep", "infinity")
        wear.run(*cri_dockerd, undo=("systemctl", "stop", "cri-docker"))
        _swarm(site, node, back)
        back.callback(wear.reload)
        unit, target = "/etc/systemd/system/prune.service", "/var/lib/dressed-prune.service"
        wear.run("ln", "-s", target, unit, undo=("rm", "-f", unit))
        wear.add(target, _UNIT)
        wear.add("/etc/systemd/system/docker.service.d/dressed.conf", _PROXY)
        wear.reload()
        wear.add("/usr/local/bin/containerd", "no program\n")
        wear.add("/usr/local/bin/date", '#!/bin/sh\nexec /bin/date -d "600 seconds" "$@"\n', mode="755")
        way = ("ip", "route", "replace")
        wear.run(*way, _METADATA, "via", _NOBODY, undo=(*way, "unreachable", _METADATA))
        wear.add("/etc/docker/certs.d/r.example:5000/ca.crt", "")
        daemon = json.loads(wear.read(_DAEMON_JSON))
        daemon |= {"log-driver": "syslog", "default-runtime": "nvidia", "insecure-registries": ["10.0.0.0/8"]}
        wear.change(_DAEMON_JSON, json.dumps(daemon))
        wear.add("/etc/containerd/certs.d/docker.io/hosts.toml", "server = 'mine'\n")
        wear.add("/etc/crictl.yaml", "runtime-endpoint: [\n")
        wear.change(_FLAGS, wear.read(_FLAGS).replace("--network-plugin=cni", "--network-plugin=kubenet"))
        kubelet = yaml.safe_load(wear.read(_CONFIG))
        wear.change(_CONFIG, yaml.safe_dump({**kubelet, "evictionHard": {"nodefs.available": "99%"}}))
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
def second(site: Site, node: str) -> Iterator[None]:
    """dpkg interrupted, a package that containerd breaks, live-restore, keys of daemon.json that are lost or there
    twice, flags of the kubelet in three places and none that is understood in their own, no crictl and no ping, a gap
    in sudo's rule, cron, a static pod on the socket, another distribution by its file, a store that is too small and
    has a mount left behind.
    """
    with ExitStack() as back:
        wear = Hanger(site, node, back)

        def live_restore(on: bool) -> None:
            """A key that is gone says nothing to a running dockerd, so it is turned off before the file is put back."""
            text = json.dumps({**daemon, "live-restore": on})
            if on:  # dockerd takes the last of two; 15 is what it has without a word
                text = text.replace("{", '{"shutdown-timeout": 15, "live-restore": false,\n', 1)
            site.write(node, _DAEMON_JSON, text)
            site.root(node, "systemctl", "reload", "docker")

        daemon = json.loads(wear.read(_DAEMON_JSON))
        wear.change(_DAEMON_JSON, json.dumps(daemon))
        back.callback(live_restore, False)
        live_restore(True)
        broken = packages(wear.read(STATUS), "less", "Status", "install ok half-configured")
        wear.change(STATUS, packages(broken, "iputils-ping", "Breaks", "containerd"))
        rule = wear.read(_RULE).splitlines(keepends=True)
        wear.change(_RULE, "".join(line for line in rule if not line.rstrip().endswith("/umount")))
        for program in ("crictl", "ping"):
            wear.hide(site.root(node, "which", program).strip())
        wear.change(_EXTRA, "what\nKUBELET_EXTRA_ARGS=--image-pull-progress-deadline=5m\n")
        wear.change(_FLAGS, wear.read(_FLAGS).rstrip().rstrip('"'))
        back.callback(wear.reload)
        wear.add(_ENVIRONMENT, "MORE=--container-runtime=docker\n")
        wear.add(_DROP_IN, f"[Unit]\nRequires=docker.service\n[Service]\nEnvironmentFile=-{_ENVIRONMENT}\n")
        wear.reload()
        wear.change("/etc/os-release", wear.read("/etc/os-release").replace("\nID=debian\n", "\nID=fedora\n"))
        wear.mount("/var/lib/containerd", "1m")
        wear.run("mkdir", "/var/lib/containerd/tmpmounts", undo=("true",))
        wear.mount("/var/lib/containerd/tmpmounts/containerd-mount1", "1m")
        wear.add("/etc/cron.d/prune", _CRON)
        wear.add(_STATIC, _STATIC_POD)
        yield
