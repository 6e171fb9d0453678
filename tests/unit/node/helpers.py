"""Settings and an attempt for tests of actions."""

from __future__ import annotations

from typing import Any

from cri_switch.model.attempt import Attempt
from cri_switch.model.migration import Migration
from cri_switch.model.node_ref import NodeRef

ATTEMPT = Attempt(cluster_uid="c", migration_id="m", node=NodeRef(name="node1", uid="u1"), number=2)


def migration(**spec: Any) -> Migration:
    """A migration with these settings."""
    given = {"cluster": {"kubeconfig": "k"}, "backup": {"directory": "/b"}, **spec}
    return Migration.model_validate({"kind": "Migration", "metadata": {"name": "lab"}, "spec": given})


def unit_text(name: str, active: str = "active", sub: str = "running", load: str = "loaded", **more: str) -> str:
    """One block of `systemctl show`."""
    fields = {"Id": name, "LoadState": load, "ActiveState": active, "SubState": sub, **more}
    return "".join(f"{key}={value}\n" for key, value in fields.items())


def job_text(name: str, lines: list[str]) -> str:
    """A job's unit after these commands: exited once it was started, gone once it was stopped."""
    text = "\n".join(lines)
    started = text.rfind(f"--unit={name}") > text.rfind(f"systemctl stop {name}")
    return unit_text(name, *(("active", "exited") if started else ("inactive", "dead", "not-found")))
