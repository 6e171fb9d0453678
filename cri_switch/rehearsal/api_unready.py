"""What an API server answers that listens and does not serve."""

from __future__ import annotations

from cri_switch.rehearsal.api_reply import Call, Place, Reply, failure
from cri_switch.rehearsal.api_state import ApiState

HEALTH = ("/healthz", "/livez", "/readyz")
ETCD_SECONDS = 7.0
"""After which etcd gives up on a request that its members do not agree on."""
_ROLES = "poststarthook/rbac/bootstrap-roles"
_REVIEWS = ("SelfSubjectAccessReview",)


def unready(state: ApiState, call: Call, place: Place | None) -> Reply | None:
    """The answer; None for what is served all the same. `after` is in seconds of the simulated world."""
    path = call.path.rstrip("/")
    if path in HEALTH and state is ApiState.WITHOUT_ETCD:
        return _health(path, "etcd")
    if path in HEALTH and state is not ApiState.SERVES:
        return _health(path, _ROLES)
    if state is ApiState.STARTS and place is not None:
        return failure(500, "InternalError", "etcdserver: leader changed")
    if state is ApiState.WITHOUT_ETCD and place is not None and place.kind.kind not in _REVIEWS:
        return failure(500, "InternalError", "etcdserver: request timed out", after=ETCD_SECONDS)
    return None


def _health(path: str, failed: str) -> Reply:
    checks = ("ping", "log", "etcd", _ROLES)
    lines = [f"[-]{one} failed: reason withheld" if one == failed else f"[+]{one} ok" for one in checks]
    return Reply(500, text="\n".join([*lines, f"{path.strip('/')} check failed\n"]))
