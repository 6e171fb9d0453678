"""What a run is killed on: a cluster seen from outside of the pipeline, and what can be done to it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from tests.e2e.look import cluster
from tests.e2e.site import Site
from tests.e2e.wait import until, until_none
from tests.lab import faults, machine

_BUDGET = ("-n", "lab", "patch", "poddisruptionbudget", "web", "--type", "merge", "-p")
_SLOW = "/etc/apt/apt.conf.d/99-kills"
_PACKAGE_SECONDS = 15


class Ground(Protocol):
    """The lab, or a rehearsal; both have the workers w1 and w2, the control plane cp1, and a budget `web`."""

    @property
    def nodes(self) -> Sequence[str]:
        """Their names."""
        ...

    def settings(self, directory: Path) -> Path:
        """A settings file for the migration of it."""
        ...

    def journal(self, node: str) -> list[dict[str, Any]]:
        """What the pipeline wrote on the node; [] where nothing, or where the node does not answer."""
        ...

    def jobs(self, node: str) -> dict[str, bool]:
        """The pipeline's transient units, and whether each is at work."""
        ...

    def refuse_evictions(self) -> None:
        """From now on the budget allows no eviction."""
        ...

    def allow_evictions(self) -> None: ...
    def slow_packages(self) -> None:
        """From now on the package managers take long enough to be met at work."""
        ...

    def cut(self, node: str) -> None:
        """Its network is away."""
        ...

    def mend(self, node: str) -> None: ...
    def reboot(self, node: str) -> None:
        """Power off and on; returns when it is up."""
        ...

    def left(self) -> list[str]:
        """What is not as a whole migration leaves it, in words."""
        ...

    def package_runs(self, node: str) -> list[str]:
        """What package managers changed, one line a run, in order; also where two ran at once."""
        ...


class LabGround:
    """A real cluster."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.nodes = site.nodes

    def settings(self, directory: Path) -> Path:
        from tests.e2e.settings import settings, write

        spec = {"stage_images": False, "backup": {"skip": True}, "gate": {"checks": 1}}
        return write(directory / "migration.yaml", settings(self.site, spec))

    def journal(self, node: str) -> list[dict[str, Any]]:
        script = "cat /var/lib/cri-switch/*/journal.jsonl 2>/dev/null || true"
        text = self.site.root(node, "sh", "-c", script)
        found = [json.loads(line) for line in text.splitlines() if line.startswith("{") and line.endswith("}")]
        return sorted(found, key=lambda entry: float(entry["time"]))

    def jobs(self, node: str) -> dict[str, bool]:
        words = ("list-units", "--all", "--full", "--no-legend", "--no-pager", "cri-switch-*")
        rows = [line.lstrip(" ●*").split() for line in self.site.root(node, "systemctl", *words).splitlines() if line]
        return {row[0]: row[3] in ("running", "start") for row in rows}

    def refuse_evictions(self) -> None:
        self.site.kubectl(*_BUDGET, json.dumps({"spec": {"minAvailable": "100%"}}))

    def allow_evictions(self) -> None:
        self.site.kubectl(*_BUDGET, json.dumps({"spec": {"minAvailable": 3}}))

    def slow_packages(self) -> None:
        for node in self.nodes:
            self.site.write(node, _SLOW, f'DPkg::Pre-Invoke {{"sleep {_PACKAGE_SECONDS}";}};\n')

    def cut(self, node: str) -> None:
        faults.cut(self.site.lab, self.site.lab.machine(node))

    def mend(self, node: str) -> None:
        faults.mend(self.site.lab, self.site.lab.machine(node))

    def reboot(self, node: str) -> None:
        machine.stop(self.site.lab.machine(node))
        machine.boot(self.site.lab, self.site.lab.machine(node))

    def left(self) -> list[str]:
        site = self.site
        until("the API to answer", lambda: site.kubectl("get", "--raw", "/readyz", check=False), 120)
        until_none("the workload to be whole", lambda: cluster.not_whole(site), 120, every=1)
        lines = [f"{name} is not Ready" for name in cluster.not_ready(site)]
        lines += [f"{name} is cordoned" for name in cluster.cordoned(site)]
        lines += [
            f"{name} reports {at}" for name, at in cluster.runtimes(site).items() if not at.startswith("containerd://")
        ]
        for name, keys in cluster.marks(site).items():
            lines += [f"{name} is marked {key}" for key in keys]
        for name, found in cluster.taints(site).items():
            lines += [f"{name} has the taint {taint}" for taint in found if "cri-switch" in taint]
        for name in self.nodes:
            lines += [f"{name}: the unit {unit} is left" for unit in self.jobs(name)]
            there = site.root(name, "sh", "-c", "dpkg -l docker.io docker-engine 2>/dev/null | grep ^.i || true")
            lines += [f"{name}: {line.split()[1]} is installed" for line in there.splitlines()]
            audit = site.root(name, "dpkg", "--audit")
            lines += [f"{name}: dpkg --audit: {audit}"] if audit.strip() else []
        return lines

    def package_runs(self, node: str) -> list[str]:
        """apt's history: a stanza a run that changed something."""
        script = "zcat -f /var/log/apt/history.log* 2>/dev/null || true"
        runs, end = [], ""
        for stanza in self.site.root(node, "sh", "-c", script).strip().split("\n\n"):
            found = dict(line.split(": ", 1) for line in stanza.splitlines() if ": " in line)
            if "systemd" not in found.get("Requested-By", "systemd") or "Commandline" not in found:
                continue
            if found["Start-Date"] < end:
                runs.append(f"at once with the one before: {found['Commandline']}")
            end = found.get("End-Date", "")
            did = [
                f"{verb} {found[verb]}"
                for verb in ("Install", "Upgrade", "Reinstall", "Remove", "Purge")
                if verb in found
            ]
            runs.append("; ".join(did))
        return runs
