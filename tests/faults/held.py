"""A DaemonSet while it is held, seen by the API alone: whose pods are where, and what its object says."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.site import Object, Site
from tests.lab.report import LabError

NAMESPACE, NAME = "lab", "agent"


@dataclass(frozen=True)
class Sample:
    """At `time`, by this machine's clock, as the journals': UIDs of the pods of each node, ended ones not."""

    time: float
    pods: Mapping[str, Sequence[str]]
    strategy: str


@dataclass
class Samples:
    """Several a second, while the API answers."""

    site: Site
    taken: list[Sample] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    def on(self, node: str, since: float, until: float) -> list[Sample]:
        """Those in which a pod of it is on the node."""
        return [each for each in self.within(since, until) if each.pods.get(node)]

    def within(self, since: float, until: float) -> list[Sample]:
        return [each for each in self.taken if since <= each.time <= until]

    def ever_on(self, node: str) -> list[str]:
        """UIDs, in the order in which they came."""
        return list(dict.fromkeys(uid for each in self.taken for uid in each.pods.get(node, ())))

    def take(self) -> None:
        while not self._over.wait(0.5):
            before = time.time()
            try:
                found = self.site.get("daemonsets,pods", "--request-timeout=3s")
            except (LabError, ValueError, subprocess.SubprocessError):
                continue  # a single control plane's API is away while it is switched
            pods: dict[str, list[str]] = {}
            for each in (obj for obj in found if obj["kind"] == "Pod" and _is_its(obj)):
                pods.setdefault(str(each["spec"].get("nodeName")), []).append(str(each["metadata"]["uid"]))
            (one,) = [obj for obj in found if obj["kind"] == "DaemonSet" and obj["metadata"]["name"] == NAME]
            self.taken.append(Sample((before + time.time()) / 2, pods, one["spec"]["updateStrategy"]["type"]))

    def end(self) -> None:
        self._over.set()


@contextmanager
def watched(site: Site) -> Iterator[Samples]:
    """Sampled until the block ends."""
    samples = Samples(site)
    thread = threading.Thread(target=samples.take, daemon=True)
    thread.start()
    try:
        yield samples
    finally:
        samples.end()
        thread.join(30)


def as_written(site: Site) -> dict[str, Any]:
    """What an administrator wrote: spec, labels, annotations (the generation in one of them counts changes)."""
    found = json.loads(site.kubectl("-n", NAMESPACE, "get", "daemonset", NAME, "-o", "json"))
    annotations = dict(found["metadata"].get("annotations") or {})
    annotations.pop("deprecated.daemonset.template.generation", None)
    return {"spec": found["spec"], "labels": found["metadata"].get("labels"), "annotations": annotations}


def allow(site: Site) -> None:
    """The right that the preflight asks for, by the two commands that it names."""
    name, again = f"cri-switch-hold-{NAME}", ("--dry-run=client", "-o", "yaml")
    role = ("role", name, "--verb=patch", "--resource=daemonsets.apps", f"--resource-name={NAME}")
    binding = ("rolebinding", name, f"--role={name}", "--serviceaccount=cri-switch:cri-switch")
    for words in (role, binding):
        made = site.kubectl("-n", NAMESPACE, "create", *words, *again)
        site.kubectl("-n", NAMESPACE, "apply", "-f", "-", stdin=made)


def _is_its(pod: Object) -> bool:
    owners = pod["metadata"].get("ownerReferences") or [{}]
    running = pod["status"].get("phase") not in ("Succeeded", "Failed")
    return running and pod["metadata"]["namespace"] == NAMESPACE and owners[0].get("name") == NAME
