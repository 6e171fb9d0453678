"""The same on a simulated cluster: its own sockets, the same programs in front."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import yaml

from cri_switch.rehearsal.build import ADMIN_TOKEN
from cri_switch.rehearsal.process import RehearsalProcess
from tests.e2e.wait import until

_BUDGET = "/apis/policy/v1beta1/namespaces/shop/poddisruptionbudgets/web"


class RehearsalGround:
    """A running rehearsal of three nodes."""

    nodes: Sequence[str] = ("cp1", "w1", "w2")

    def __init__(self, rehearsal: RehearsalProcess) -> None:
        self.rehearsal, self._settings = rehearsal, rehearsal.wait()
        access = yaml.safe_load((rehearsal.directory / "admin.conf").read_text())
        self._url = access["clusters"][0]["cluster"]["server"]
        self._packages = {name: rehearsal.node(name).installed for name in self.nodes}

    def settings(self, directory: Path) -> Path:
        document = yaml.safe_load(self._settings.read_text())
        document["spec"] |= {"stage_images": False, "gate": {"checks": 1}}
        file = directory / "migration.yaml"
        file.write_text(yaml.safe_dump(document))
        return file

    def journal(self, node: str) -> list[dict[str, Any]]:
        return self.rehearsal.node(node).journal

    def jobs(self, node: str) -> dict[str, bool]:
        return {unit: at_work for unit, at_work in self.rehearsal.node(node).jobs.items() if "cri-switch" in unit}

    def refuse_evictions(self) -> None:
        self._budget("100%")

    def allow_evictions(self) -> None:
        self._budget(1)

    def slow_packages(self) -> None:
        for name in self.nodes:
            self.rehearsal.fault("packages-slow", name)

    def cut(self, node: str) -> None:
        self.rehearsal.fault("network-cut", node)

    def mend(self, node: str) -> None:
        self.rehearsal.fault("", node)

    def reboot(self, node: str) -> None:
        self.rehearsal.reboot(node)
        until("the kubelet's word after the reboot", lambda: self._ready(node), 120)

    def left(self) -> list[str]:
        seen = self.rehearsal.seen()
        lines = [*seen.complaints, *seen.broken, *seen.unfinished]
        for node in self._get("/api/v1/nodes")["items"]:
            name, runtime = node["metadata"]["name"], node["status"]["nodeInfo"]["containerRuntimeVersion"]
            lines += [] if runtime.startswith("containerd://") else [f"{name} reports {runtime}"]
            lines += [
                f"{name}: taint {taint['key']}" for taint in node["spec"].get("taints") or [] if "cri-" in str(taint)
            ]
            lines += [f"{name}: {key}" for key in node["metadata"].get("annotations") or {} if "cri-switch" in key]
            lines += [f"{name}: the unit {unit} is left" for unit in self.jobs(name)]
            there = self.rehearsal.node(name).installed
            lines += [f"{name}: {package} is installed" for package in there if package.startswith("docker")]
        return lines

    def package_runs(self, node: str) -> list[str]:
        """What is not there that was, and the other way round; two at once are a broken promise of the simulator's."""
        before, now = set(self._packages[node]), set(self.rehearsal.node(node).installed)
        return [f"Install {name}" for name in sorted(now - before)] + [
            f"Remove {name}" for name in sorted(before - now)
        ]

    def _ready(self, node: str) -> bool:
        try:
            found = self._get(f"/api/v1/nodes/{node}")
        except httpx.HTTPError:
            return False
        time.sleep(0.2)
        return any(c["type"] == "Ready" and c["status"] == "True" for c in found["status"]["conditions"])

    def _get(self, path: str) -> Any:
        return httpx.get(self._url + path, headers=_HEADERS, timeout=20).raise_for_status().json()

    def _budget(self, minimum: int | str) -> None:
        kind = {"Content-Type": "application/merge-patch+json"}
        body = {"spec": {"minAvailable": minimum}}
        httpx.patch(self._url + _BUDGET, json=body, headers=_HEADERS | kind, timeout=20).raise_for_status()


_HEADERS = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
