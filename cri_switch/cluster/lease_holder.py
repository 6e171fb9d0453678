"""Who holds the cluster's Lease, and how that is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cri_switch.cluster.client import Cluster, Obj
from cri_switch.model.errors import LockHeld

NAMESPACE, NAME = "kube-system", "cri-switch"
DURATION = 180
"""Seconds: longer than the API outage of a single control-plane node."""


@dataclass(frozen=True)
class Holder:
    """Who holds it: `migration/run/process`; nobody where `identity` is empty."""

    identity: str
    since: str = ""
    renewed: str = ""
    duration: int = DURATION
    version: str = ""

    @property
    def migration(self) -> str:
        """The migration's id."""
        return self.identity.split("/")[0]

    @property
    def run(self) -> str:
        """The migration's and the run's id."""
        return "/".join(self.identity.split("/")[:2])

    @property
    def process(self) -> str:
        """Its process, see process_identity."""
        return self.identity.rpartition("/")[2].rpartition("-")[0]

    def expired(self, now: datetime) -> bool:
        """By the clocks of two machines, so it only seems so."""
        try:
            renewed = datetime.fromisoformat(self.renewed)
        except ValueError:
            return True
        return renewed.replace(tzinfo=renewed.tzinfo or UTC) + timedelta(seconds=self.duration) < now

    def __str__(self) -> str:
        return f"{self.identity} since {self.since or '?'}, last renewed {self.renewed or '?'}"


def holder(cluster: Cluster) -> Holder | None:
    """Who holds the Lease now; None where there is none. Raises ApiError, Unreachable."""
    found = cluster.get("Lease", NAME, NAMESPACE)
    return None if found is None else parse_holder(found)


def unlock(cluster: Cluster, seen: Holder) -> None:
    """A person's word: free the Lease as it was shown. Raises ApiError (409: it is not as shown any more)."""
    cluster.patch("Lease", NAME, lease_patch("", seen, None), namespace=NAMESPACE)


def parse_holder(found: Obj) -> Holder:
    """A Lease as the API gives it."""
    spec = found.get("spec") or {}
    return Holder(
        identity=str(spec.get("holderIdentity") or ""),
        since=str(spec.get("acquireTime") or ""),
        renewed=str(spec.get("renewTime") or ""),
        duration=int(spec.get("leaseDurationSeconds") or DURATION),
        version=str(found["metadata"].get("resourceVersion") or ""),
    )


def lease_patch(identity: str, found: Holder, now: str | None) -> Obj:
    """A merge patch that goes through only while the Lease is as it was found."""
    spec: Obj = {"holderIdentity": identity, "renewTime": now, "leaseDurationSeconds": DURATION}
    if identity != found.identity:
        spec["acquireTime"] = now
    return {"metadata": {"resourceVersion": found.version}, "spec": spec}


def taken(found: Holder | None) -> str:
    """How a Lease went that was ours."""
    if found is None:
        return "somebody deleted it"
    return f"{found}" if found.identity else "somebody freed it (cri-switch unlock)"


def held(found: Holder, *, expired: bool) -> LockHeld:
    """The error of a run that may not take it."""
    next_step = "wait until that run has ended"
    if expired:
        next_step = "if that run is dead for certain: cri-switch unlock -f FILE, then the same command again"
    return LockHeld(
        f"Lease {NAMESPACE}/{NAME} is held by {found}{' (expired)' if expired else ''}",
        state="nothing was touched",
        next_step=next_step,
    )
