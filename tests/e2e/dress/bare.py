"""How a cluster stands that is not dressed: what must be the same, to the byte, when the dress is off again."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

from tests.e2e.look import node
from tests.e2e.site import Site

_PLACES = "/etc /usr/local /opt/cni /bin/ping /var/lib/kubelet/*.env /var/lib/kubelet/config.yaml /var/lib/dpkg/status"
_SCRIPT = f"""
find {_PLACES} -type f -printf '%p %m %U %G %i\\n' | grep -v -e /var/lib/dpkg/status
find {_PLACES} -type l -printf '%p %l\\n'
find /etc /usr/local /var/lib -maxdepth 4 -type d -not -path '/var/lib/kubelet/*' -not -path '/var/lib/docker/*' \\
  -not -path '/var/lib/cni/*' -printf '%p %m %U %G\\n'
find {_PLACES} -type f -exec sha256sum {{}} + | LC_ALL=C sort
ls -A /srv /var/lib
ip route | LC_ALL=C sort
grep -v -e /docker/ -e /kubelet/ -e /netns/ -e /run/user/ /proc/mounts
docker ps -a --format '{{{{.Names}}}}' | grep -v ^k8s_
docker network ls -q --no-trunc | LC_ALL=C sort
docker info --format '{{{{.LiveRestoreEnabled}}}} {{{{.Swarm.LocalNodeState}}}}'
systemctl list-units --no-legend --plain --all cri-docker.service watcher.service prune.service
systemctl show -p Id,ActiveState,ExecMainStartTimestamp,NRestarts,NeedDaemonReload kubelet docker containerd
"""


def as_it_stands(site: Site) -> dict[str, list[str]]:
    """Lines of each machine, and of the API as `api`."""
    with ThreadPoolExecutor() as side_by_side:
        machines = dict(zip(site.nodes, side_by_side.map(lambda name: _machine(site, name), site.nodes), strict=True))
    return {**machines, "api": _api(site)}


def _machine(site: Site, name: str) -> list[str]:
    return [*site.root(name, "sh", "-c", f"{_SCRIPT}true").splitlines(), *node.rules(site, name).splitlines()]


def _api(site: Site) -> list[str]:
    """Objects by name, the nodes' specs and labels, the pipeline's rights, and what runs that is no Job's."""
    kinds = "namespaces,persistentvolumes,poddisruptionbudgets,deployments,daemonsets,statefulsets"
    lines = [f"{each['kind']} {each['metadata']['name']}" for each in site.get(kinds)]
    for each in site.get("nodes,clusterroles"):
        name, labels = each["metadata"]["name"], each["metadata"].get("labels")
        if each["kind"] == "Node" or name == "cri-switch":
            lines.append(json.dumps([name, labels, each.get("spec"), each.get("rules")], sort_keys=True))
    for pod in site.get("pods"):
        if not any(owner["kind"] == "Job" for owner in pod["metadata"].get("ownerReferences") or []):
            containers = [one.get("containerID") for one in pod["status"].get("containerStatuses") or []]
            lines.append(f"pod {pod['metadata']['name']} {containers}")
    return sorted(lines)
