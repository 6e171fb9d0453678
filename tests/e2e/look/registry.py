"""What the lab's registry was asked for, and a pod on one node whose images must come from there."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from tests.e2e.site import Site
from tests.e2e.wait import until


def asked(site: Site, start: datetime, end: datetime) -> list[str]:
    """The lines of its log in which an image's manifest was asked for."""
    since, before = (f"{each:%Y-%m-%d %H:%M:%S} UTC" for each in (start, end))
    log = site.root("registry", "journalctl", "-u", "lab-registry", "-o", "cat", "--since", since, "--until", before)
    return [line for line in log.splitlines() if re.search(r'"(GET|HEAD) /v2/\S+/manifests/', line)]


def pull(site: Site, name: str, images: Sequence[str]) -> None:
    """Run a pod of these images on a node; it must become Ready, and the registry's log name the node."""
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"fresh-{name}", "namespace": "lab", "labels": {"app": "fresh"}},
        "spec": {
            "nodeName": name,
            "terminationGracePeriodSeconds": 1,
            "tolerations": [{"operator": "Exists"}],
            "containers": [
                {"name": f"c{n}", "image": image, "imagePullPolicy": "Always", "args": ["serve", "--port", f"808{n}"]}
                for n, image in enumerate(images)
            ],
        },
    }
    begun = datetime.now(UTC) - timedelta(seconds=1)
    site.kubectl("apply", "-f", "-", stdin=json.dumps(pod))
    try:
        site.kubectl("-n", "lab", "wait", "--for=condition=Ready", f"pod/fresh-{name}", "--timeout=180s", timeout=200)
        address = site.address(name)
        # The journal is asked by whole seconds, and is written a moment after the answer.
        until(
            f"the registry's log to name {name}",
            lambda: any(address in line for line in asked(site, begun, datetime.now(UTC) + timedelta(seconds=1))),
            15,
            every=1,
        )
    finally:
        site.kubectl("-n", "lab", "delete", "pod", f"fresh-{name}", "--wait=true", "--timeout=180s", timeout=200)
