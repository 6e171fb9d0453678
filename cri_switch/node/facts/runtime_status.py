"""What the new runtime says of itself, by crictl."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from cri_switch.node.command import Result, sudo
from cri_switch.node.fact import Fact


@dataclass(frozen=True)
class RuntimeStatus:
    """`crictl info`; `answered` is False while the CRI is not up."""

    answered: bool
    conditions: dict[str, bool] = field(default_factory=dict)
    message: str = ""
    systemd_cgroup: bool | None = None
    sandbox_image: str = ""

    @property
    def ready(self) -> bool:
        """RuntimeReady is true."""
        return self.answered and self.conditions.get("RuntimeReady", False)


def runtime_status(endpoint: str) -> Fact[RuntimeStatus]:
    """`crictl info` at an endpoint; "server is not initialized yet" and a refused connection are just not answered."""

    def parse(result: Result) -> RuntimeStatus:
        if result.rc:
            return RuntimeStatus(False, message=result.stderr.strip()[-500:])
        info = json.loads(result.stdout)
        conditions = info["status"].get("conditions") or []
        broken = [f"{c['type']}: {c.get('reason', '')} {c.get('message', '')}" for c in conditions if not c["status"]]
        return RuntimeStatus(
            True,
            conditions={c["type"]: bool(c["status"]) for c in conditions},
            message="; ".join(broken),
            systemd_cgroup=_systemd_cgroup(info.get("config")),
            sandbox_image=str((info.get("config") or {}).get("sandboxImage") or ""),
        )

    command = sudo("crictl", "--runtime-endpoint", endpoint, "info", ok=(0, 1))
    return Fact("crictl info", command, parse)


def _systemd_cgroup(config: Any) -> bool | None:
    """containerd's real choice; the top-level systemdCgroup is a deprecated field that says false always."""
    node: Any = config if isinstance(config, dict) else {}
    for key in ("containerd", "runtimes", "runc", "options", "SystemdCgroup"):
        node = node.get(key) if isinstance(node, dict) else None
    return node if isinstance(node, bool) else None
