"""The certificates of a kubeconfig, for a client of one's own: never the pipeline's client."""

from __future__ import annotations

import base64
import ssl
import tempfile
from pathlib import Path
from typing import Any

import yaml


def client_tls(kubeconfig: Path) -> ssl.SSLContext:
    """Its authority, and its user's certificate; both have to be data in it, as kubeadm writes them."""
    cluster, user = _current(yaml.safe_load(kubeconfig.read_text()))
    context = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
    with tempfile.NamedTemporaryFile() as pair:  # 0600; ssl reads certificates of its own from files only
        pair.write(base64.b64decode(user["client-certificate-data"]) + base64.b64decode(user["client-key-data"]))
        pair.flush()
        context.load_cert_chain(pair.name)
    return context


def server_of(kubeconfig: Path) -> str:
    """The API's address."""
    cluster, _user = _current(yaml.safe_load(kubeconfig.read_text()))
    return str(cluster["server"])


def _current(document: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    def named(kind: str, name: str) -> dict[str, Any]:
        found: dict[str, Any] = next(each for each in document[f"{kind}s"] if each["name"] == name)[kind]
        return found

    context = named("context", document["current-context"])
    return named("cluster", context["cluster"]), named("user", context["user"])
