"""A cluster dressed with one of each problem that a preflight finds, and undressed again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.e2e.dress.ghosts import Ghost, haunted
from tests.e2e.dress.plane import plane
from tests.e2e.dress.workers import first, second
from tests.e2e.site import Site
from tests.e2e.wait import until

NAMESPACE = "dressed"
_FILE = Path("/etc/machine-id")
MACHINE_ID = _FILE.read_text().strip() if _FILE.is_file() else ""
"""Of the machine that runs the tests; a container often has none, and then no node can have the same."""
_WORKLOADS = (Path(__file__).parent / "workloads.yaml").read_text()
_PODS = 10


@contextmanager
def dressed(site: Site) -> Iterator[None]:
    """All three machines, two nodes that are not there, the workloads; w1 is cordoned.

    No unit is restarted, and dockerd alone reloads its settings, so what files say counts for nobody but who reads
    them now.
    """
    w1, w2 = site.workers
    ghosts = (
        Ghost("ghost", "10.77.0.199", {"cloud.google.com/gke-nodepool": "p"}, machine_id=MACHINE_ID),
        Ghost("crio", "10.77.0.198", runtime="cri-o://1.20.0"),
    )
    with ExitStack() as stack:
        stack.enter_context(_workloads(site))
        stack.enter_context(haunted(site, *ghosts))
        stack.enter_context(first(site, w1))
        stack.enter_context(second(site, w2))
        stack.enter_context(plane(site, site.control_plane))
        until("the dressed pods", lambda: len(_pods(site, "Running")) == _PODS, 300)
        until("the finished pod", lambda: _pods(site, "Succeeded") == ["finished"], 300)
        stack.callback(site.kubectl, "uncordon", w1)
        site.kubectl("cordon", w1)
        yield


@contextmanager
def _workloads(site: Site) -> Iterator[None]:
    site.kubectl("apply", "-f", "-", stdin=_WORKLOADS)
    try:
        yield
    finally:
        site.kubectl("-n", NAMESPACE, "patch", "pod", "bare", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
        site.kubectl("delete", "-f", "-", "--wait=false", stdin=_WORKLOADS)
        site.kubectl("-n", NAMESPACE, "delete", "pods", "--all", "--grace-period=0", "--force", check=False)
        until("the dressed namespace to be gone", lambda: not _namespaces(site), 300)
        for name in site.workers:
            site.root(name, "rm", "-rf", "/srv/guarded")


def _pods(site: Site, phase: str) -> list[str]:
    pods = site.get("pods", f"--field-selector=metadata.namespace={NAMESPACE}")
    return [pod["metadata"]["name"] for pod in pods if pod["status"].get("phase") == phase]


def _namespaces(site: Site) -> list[str]:
    return [each["metadata"]["name"] for each in site.get("namespaces") if each["metadata"]["name"] == NAMESPACE]
