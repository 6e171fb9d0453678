"""The text of a kubeconfig."""

from __future__ import annotations

import base64
from typing import Any

import yaml


def kubeconfig(server: str, authority: bytes, user: str = "nobody", token: str = "") -> str:
    """One cluster, trusted by its authority's certificate, and one user with a token or without any credentials."""
    cluster = {"server": server, "certificate-authority-data": base64.b64encode(authority).decode()}
    credentials: dict[str, Any] = {"token": token} if token else {}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "lab", "cluster": cluster}],
        "users": [{"name": user, "user": credentials}],
        "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": user}}],
        "current-context": "lab",
    }
    return yaml.safe_dump(document, sort_keys=False)
