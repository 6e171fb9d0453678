"""One HTTP request to the API server, with its own deadline and without a retry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3
import yaml
from kubernetes.client import ApiClient
from kubernetes.client.exceptions import ApiException
from kubernetes.config import ConfigException, new_client_from_config

from cri_switch.model.errors import ApiError, SettingsError, Unreachable
from cri_switch.model.migration import ClusterAccess

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
_RBAC = "deployments/rbac.yaml"


class NotSent(Unreachable):
    """No connection came about: the server has not seen the request, so it may be sent again."""


@dataclass(frozen=True)
class Request:
    """A request by its path on the server; `body` is JSON data."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: Any = None
    content_type: str = "application/json"

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Answer:
    """What the server said."""

    status: int
    text: str


Send = Callable[[Request], Answer]
"""Raises NotSent, Unreachable (the request may have been carried out), ApiError (the server's certificate)."""


def sender(access: ClusterAccess) -> Send:
    """Read the kubeconfig; several threads may send at once. Nothing is sent yet.

    Raises:
        SettingsError: there is no such kubeconfig, or it is not one.
    """
    path = str(Path(access.kubeconfig).expanduser())
    context = f" (context {access.context})" if access.context else ""
    try:
        Path(path).read_bytes()  # the library takes a missing file for an empty one
        client = new_client_from_config(path, context=access.context)
    except (OSError, ConfigException, yaml.YAMLError, TypeError, ValueError, KeyError) as problem:
        raise SettingsError(
            f"kubeconfig {path}{context} cannot be used: {problem}",
            state="nothing was touched",
            next_step=f"set spec.cluster.kubeconfig to a kubeconfig for the account of {_RBAC}",
        ) from problem
    # The library's own repetitions would also send mutations twice; ours are in retry.py.
    client.configuration.retries = False
    fresh = ApiClient(client.configuration)
    next_step = f"kubectl --kubeconfig {path} get --raw /readyz"
    return lambda request: _send(fresh, request, next_step)


def _send(client: Any, request: Request, next_step: str) -> Answer:
    headers = {"Accept": "application/json", "Content-Type": request.content_type}
    where = f"{client.configuration.host}: {request}"
    try:
        serialized = client.param_serialize(
            request.method,
            request.path,
            query_params=list(request.query),
            header_params=headers,
            body=request.body,
            auth_settings=["BearerToken"],
        )
        response = client.call_api(*serialized, _request_timeout=(CONNECT_SECONDS, READ_SECONDS))
        data: bytes = response.read()
    except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError) as problem:
        raise NotSent(f"{where}: no connection: {problem}", next_step=next_step) from problem
    except urllib3.exceptions.HTTPError as problem:
        raise Unreachable(f"{where}: no answer: {problem}", next_step=next_step) from problem
    except ApiException as problem:  # the library's form of a failed TLS handshake
        if "CERTIFICATE_VERIFY_FAILED" in str(problem.reason):
            raise ApiError(f"{where}: the server's certificate is refused: {problem.reason}") from problem
        raise NotSent(f"{where}: no TLS connection: {problem.reason}", next_step=next_step) from problem
    return Answer(int(response.status), data.decode(errors="replace"))
