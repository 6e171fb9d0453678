"""What an API server answers that is no resource: health, version, discovery."""

from __future__ import annotations

from cri_switch.rehearsal.api_kinds import Obj, Served
from cri_switch.rehearsal.api_reply import Reply


def answer(served: Served, path: str) -> Reply | None:
    """The answer to a GET; None for a path that the rehearsal does not know."""
    if path in ("/readyz", "/healthz", "/livez"):
        return Reply(200, text="ok")
    found = _fixed(served, path)
    parts = path.strip("/").split("/")
    if found is None and parts[0] == "apis" and len(parts) == 2:
        found = served.group(parts[1])
    elif found is None and len(parts) == {"api": 2, "apis": 3}.get(parts[0], 0):
        found = served.resources("/".join(parts[1:]))
    if found is not None:
        return Reply(200, found)
    return Reply(404, text="404 page not found\n") if len(parts) <= {"api": 2, "apis": 3}.get(parts[0], 0) else None


def _fixed(served: Served, path: str) -> Obj | None:
    if path == "/version":
        major, minor, _ = served.release.lstrip("v").split(".", 2)
        return {"major": major, "minor": minor, "gitVersion": served.release}
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"]}
    if path == "/apis":
        groups = [served.group(name) for name in served.groups()]
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
    return None
