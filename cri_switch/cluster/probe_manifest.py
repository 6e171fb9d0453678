"""The probe pod as the API is given it."""

from __future__ import annotations

from cri_switch.cluster.client import Obj

NAMESPACE = "cri-switch"
LABEL = "cri-switch-probe"


def probe_manifest(name: str, node_name: str, image: str) -> Obj:
    """The pod: given to the node by name, so cordons and schedulers do not matter; tolerates everything."""
    return {
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": {"app": LABEL}},
        "spec": {
            "nodeName": node_name,
            "tolerations": [{"operator": "Exists"}],
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 1,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "containers": [
                {
                    "name": "pause",
                    "image": image,
                    "imagePullPolicy": "IfNotPresent",
                    "resources": {
                        "requests": {"cpu": "1m", "memory": "16Mi"},
                        "limits": {"cpu": "100m", "memory": "64Mi"},
                    },
                    "securityContext": {
                        "runAsUser": 65535,
                        "runAsGroup": 65535,
                        "runAsNonRoot": True,
                        "allowPrivilegeEscalation": False,
                        "capabilities": {"drop": ["ALL"]},
                    },
                }
            ],
        },
    }
