"""Workloads of one problem each, in a namespace of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cri_switch.rehearsal.workload import APP_IMAGE

Obj = dict[str, Any]
NAMESPACE = "dressed"
_MOUNT = [{"name": "v", "mountPath": "/v"}]


def pod_spec(path: str = "", *, volume: Obj | None = None, **container: Any) -> Obj:
    """A container that mounts a path of the node, or another volume; `v` is its name."""
    source = volume or ({"hostPath": {"path": path}} if path else {})
    mounts = {"volumeMounts": _MOUNT} if source else {}
    return {
        "containers": [{"name": "c", "image": APP_IMAGE, **mounts, **container}],
        "volumes": [{"name": "v", **source}] if source else [],
        "terminationGracePeriodSeconds": 1,
    }


def workloads() -> Iterator[tuple[str, Obj]]:
    """(kind, object), in the order in which they are created."""
    yield "Namespace", {"metadata": {"name": NAMESPACE}}
    yield "Deployment", _scaled("socket", pod_spec("/var/run/docker.sock"))
    yield "Deployment", _scaled("program", pod_spec("/usr/bin/docker"))
    yield "Deployment", _scaled("settings", pod_spec("/etc/docker"))
    yield "Deployment", _scaled("word", pod_spec("/srv/docker.sock.d"))
    yield "Deployment", _scaled("inner", pod_spec(image="docker:24", securityContext={"privileged": True}))
    yield "Deployment", _scaled("harmless", pod_spec("/srv/docker"))
    yield "StatefulSet", _scaled("parent", pod_spec("/run"))
    yield "DaemonSet", _daemon_set("logs", pod_spec("/var/lib/docker/containers"))
    suspended = {"schedule": "0 0 1 1 *", "suspend": True}
    job = {"jobTemplate": {"spec": {"template": {"spec": pod_spec("/var/lib/docker")}}}}
    yield "CronJob", {"metadata": _named("data"), "spec": suspended | job}
    yield "PersistentVolume", {"metadata": {"name": "run"}, "spec": {"hostPath": {"path": "/var/run"}}}
    yield "PersistentVolumeClaim", {"metadata": _named("run"), "spec": {"volumeName": "run"}}
    yield "StatefulSet", _scaled("claims", pod_spec(volume={"persistentVolumeClaim": {"claimName": "run"}}))
    once = pod_spec("/run/docker.sock") | {"restartPolicy": "Never"}
    yield "Pod", _pod("finished", once, annotations={"rehearsal.cri-switch/exits-after": "2"})
    yield "Pod", _pod("bare", pod_spec("/srv/bare"), finalizers=["site.example/hold"])
    guarded = pod_spec(volume={"emptyDir": {}}) | {"nodeName": "w2", "terminationGracePeriodSeconds": 900}
    yield "Deployment", _scaled("guarded", guarded, replicas=1)
    selector = {"selector": {"matchLabels": {"app": "guarded"}}}
    for name in ("never", "twice"):
        yield "PodDisruptionBudget", {"metadata": _named(name), "spec": {"maxUnavailable": 0} | selector}


def _named(name: str, **more: Any) -> Obj:
    return {"name": name, "namespace": NAMESPACE, **more}


def _scaled(name: str, spec: Obj, replicas: int = 0) -> Obj:
    template = {"metadata": {"labels": {"app": name}}, "spec": spec}
    selector = {"matchLabels": {"app": name}}
    return {"metadata": _named(name), "spec": {"replicas": replicas, "selector": selector, "template": template}}


def _daemon_set(name: str, spec: Obj) -> Obj:
    found = _scaled(name, spec | {"nodeSelector": {"nobody": "has-this"}})
    found["spec"].pop("replicas")
    return found


def _pod(name: str, spec: Obj, **metadata: Any) -> Obj:
    return {"metadata": _named(name, **metadata), "spec": spec | {"nodeName": "w1"}}
