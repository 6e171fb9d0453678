"""The static pods of a stacked control plane, as kubeadm writes them, with what is looked at."""

from __future__ import annotations

from typing import Any

Obj = dict[str, Any]
ETCD_IMAGE = "k8s.gcr.io/etcd:3.4.13-0"
_PKI = "/etc/kubernetes/pki"


def static_pods(release: str, node: str, address: str) -> list[Obj]:
    """The four of a node."""
    etcd = {
        "advertise-client-urls": f"https://{address}:2379",
        "cert-file": f"{_PKI}/etcd/server.crt",
        "client-cert-auth": "true",
        "data-dir": "/var/lib/etcd",
        "key-file": f"{_PKI}/etcd/server.key",
        "listen-client-urls": f"https://127.0.0.1:2379,https://{address}:2379",
        "name": node,
        "trusted-ca-file": f"{_PKI}/etcd/ca.crt",
    }
    api = {
        "advertise-address": address,
        "etcd-servers": "https://127.0.0.1:2379",
        "secure-port": "6443",
        "tls-cert-file": f"{_PKI}/apiserver.crt",
    }
    volumes = [("etcd-certs", f"{_PKI}/etcd"), ("etcd-data", "/var/lib/etcd")]
    return [
        _static("etcd", ETCD_IMAGE, etcd, volumes),
        _static("kube-apiserver", f"k8s.gcr.io/kube-apiserver:{release}", api, [("k8s-certs", _PKI)]),
        *(
            _static(
                f"kube-{part}",
                f"k8s.gcr.io/kube-{part}:{release}",
                {"leader-elect": "true"},
                [("kubeconfig", f"/etc/kubernetes/{part}.conf")],
            )
            for part in ("controller-manager", "scheduler")
        ),
    ]


def _static(name: str, image: str, flags: dict[str, str], volumes: list[tuple[str, str]]) -> Obj:
    container = {
        "name": name,
        "image": image,
        "command": [name, *(f"--{flag}={value}" for flag, value in flags.items())],
        "startupProbe": {"failureThreshold": 24, "periodSeconds": 10, "timeoutSeconds": 15},
        "volumeMounts": [{"name": volume, "mountPath": path} for volume, path in volumes],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "kube-system", "labels": {"component": name, "tier": "control-plane"}},
        "spec": {
            "hostNetwork": True,
            "priorityClassName": "system-node-critical",
            "containers": [container],
            "volumes": [{"name": volume, "hostPath": {"path": path}} for volume, path in volumes],
        },
    }
