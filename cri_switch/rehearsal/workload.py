"""What runs on a rehearsal cluster: a shop with a budget, data on two nodes, an agent on every node, a Job."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from cri_switch.rehearsal.pod import EXITS_AFTER, IGNORES_SIGTERM

Obj = dict[str, Any]
APP_IMAGE = "registry.example/shop:1"
NAMESPACE = "shop"
_EVERYWHERE = [{"operator": "Exists"}]


Budget = Literal["minAvailable", "maxUnavailable", "percent"]


def workload(
    release: str,
    workers: list[str],
    replicas: int,
    spare: int = 1,
    *,
    budget: Budget = "minAvailable",
    ordered: bool = False,
    stubborn: bool = False,
    bare: Sequence[str] = (),
) -> list[tuple[str, Obj]]:
    """(kind, object) in the order in which they are created; `ordered` is how the StatefulSet makes its pods.

    `stubborn`: the shop's pods do not end before their grace period has. `bare` are nodes with a pod that no controller
    would replace.
    """
    proxy = _pod("kube-proxy", f"k8s.gcr.io/kube-proxy:{release}", hostNetwork=True, tolerations=_EVERYWHERE)
    port = {"containerPort": 8080, "hostPort": 9080}
    agent = _pod("agent", tolerations=_EVERYWHERE, terminationGracePeriodSeconds=10, ports=[port])
    agent["spec"]["volumes"] = [{"name": "scratch", "emptyDir": {}}]
    found = [
        ("DaemonSet", _daemon_set("kube-proxy", "kube-system", proxy)),
        ("DaemonSet", _daemon_set("agent", NAMESPACE, agent)),
    ]
    for name in bare:
        alone = _pod("alone", nodeName=name, tolerations=_EVERYWHERE)
        found.append(
            ("Pod", {**alone, "metadata": {**alone["metadata"], "name": f"alone-{name}", "namespace": NAMESPACE}})
        )
    if not workers:
        return found
    web = _pod("web", terminationGracePeriodSeconds=20)
    web["metadata"]["annotations"] = {IGNORES_SIGTERM: "true"} if stubborn else {}
    found.append(("Deployment", _controller("web", web, replicas)))
    allows: dict[Budget, Obj] = {
        "minAvailable": {"minAvailable": max(0, replicas - spare)},
        "maxUnavailable": {"maxUnavailable": spare},
        "percent": {"minAvailable": f"{100 * max(0, replicas - spare) // replicas}%"},
    }
    guard = {**allows[budget], "selector": {"matchLabels": {"app": "web"}}}
    found.append(("PodDisruptionBudget", {"metadata": {"name": "web", "namespace": NAMESPACE}, "spec": guard}))
    # On as many nodes as there are volumes, and only there.
    homes = workers[:2]
    found += [("PersistentVolume", _volume(f"data-{name}", name)) for name in homes]
    ledger = _controller("ledger", _pod("ledger", terminationGracePeriodSeconds=20), len(homes))
    ledger["spec"] |= {"serviceName": "ledger", "podManagementPolicy": "OrderedReady" if ordered else "Parallel"}
    claim = {"storageClassName": "local", "accessModes": ["ReadWriteOnce"]}
    ledger["spec"]["volumeClaimTemplates"] = [{"metadata": {"name": "data"}, "spec": claim}]
    found.append(("StatefulSet", ledger))
    once = _pod("once", restartPolicy="Never")
    once["metadata"]["annotations"] = {EXITS_AFTER: "2"}
    found.append(("Job", {"metadata": {"name": "once", "namespace": NAMESPACE}, "spec": {"template": once}}))
    return found


def _pod(name: str, image: str = APP_IMAGE, *, ports: list[Obj] | None = None, **spec: Any) -> Obj:
    container: Obj = {"name": name, "image": image, **({"ports": ports} if ports else {})}
    return {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container], **spec}}


def _controller(name: str, template: Obj, replicas: int) -> Obj:
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template}
    return {"metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec}


def _daemon_set(name: str, namespace: str, template: Obj) -> Obj:
    spec = {"selector": {"matchLabels": {"app": name}}, "template": template}
    return {"metadata": {"name": name, "namespace": namespace}, "spec": spec}


def _volume(name: str, node: str) -> Obj:
    here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}
    return {
        "metadata": {"name": name},
        "spec": {
            "storageClassName": "local",
            "capacity": {"storage": "1Gi"},
            "local": {"path": "/var/lib/shop"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
        },
    }
