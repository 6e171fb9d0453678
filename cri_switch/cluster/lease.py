"""One migration at a time per cluster: the Lease kube-system/cri-switch (DESIGN rule 9)."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cri_switch.cluster.client import Cluster, Obj
from cri_switch.cluster.process_identity import surely_dead, this_process
from cri_switch.model.errors import ApiError, LockHeld, Unreachable

NAMESPACE, NAME = "kube-system", "cri-switch"
DURATION, EVERY = 180, 15.0
"""Seconds: longer than the API outage of a single control-plane node; how often it is renewed."""
WATCH = 2 * EVERY + 5
"""Seconds for which a holder that seems dead is watched before its Lease is taken: clocks may differ."""
SILENCE = DURATION - EVERY
"""Seconds without a renewal after which it is lost. One that is under way may hang for 36 s more (transport.py): that
is noticed before DURATION + WATCH, when somebody else may take it."""
_TRIES = 5


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
    return None if found is None else _holder(found)


def unlock(cluster: Cluster, seen: Holder) -> None:
    """A person's word: free the Lease as it was shown. Raises ApiError (409: it is not as shown any more)."""
    cluster.patch("Lease", NAME, _patch("", seen, None), namespace=NAMESPACE)


@dataclass
class Lease:
    """The Lease of one run in this process. `wall` is UTC for what others read; `clock` is monotonic.

    `api_in_hand` says that this run has the only API server's node in its hands: nobody can take a Lease of an API that
    is away, so that its silence then says nothing.
    """

    cluster: Cluster
    migration_id: str
    run: str
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    wall: Callable[[], datetime] = lambda: datetime.now(UTC)
    api_in_hand: Callable[[], bool] = lambda: False
    identity: str = ""
    _renewed: float = 0.0
    _seen: Holder = field(default_factory=lambda: Holder(""))

    def __post_init__(self) -> None:
        self.identity = f"{self.migration_id}/{self.run}/{this_process()}-{secrets.token_hex(4)}"
        self._polled = self.cluster.impatient()

    def take(self) -> str:
        """Hold it; one line that says from whom.

        A Lease of the same migration is taken over at once where its process was one of this machine and has ended
        (a run that was killed); else once it has expired, one of the same run (the engine's Retry) before that, in
        both cases only after nobody was seen to renew it.

        Raises:
            LockHeld: another migration holds it, or the same one that is alive.
            ApiError, Unreachable
        """
        for _ in range(_TRIES):
            begun = self.clock()
            found = holder(self.cluster)
            if found is not None and found.identity not in ("", self.identity):
                self._refuse_or_watch(found)
                begun = self.clock()
            try:
                self._write(self.cluster, found)
            except ApiError as problem:
                if problem.status != 409:
                    raise
                continue
            self._renewed = begun
            was = f", taken over from {found}" if found and found.identity not in ("", self.identity) else ""
            return f"Lease {NAMESPACE}/{NAME} held as {self.identity}{was}"
        raise LockHeld(
            f"Lease {NAMESPACE}/{NAME}: several runs want it at once", next_step="look who runs, then start one run"
        )

    def renew(self) -> str:
        """Renew it once; "" or why it is lost. What keeps it from being renewed is lost only after SILENCE seconds."""
        begun, in_hand = self.clock(), self.api_in_hand()
        try:
            return self._renew(begun)
        except (ApiError, Unreachable) as failure:
            if in_hand:
                return ""
            problem = failure.what
        except Exception as bug:  # noqa: BLE001 (the thread goes on, or nobody would notice the loss)
            problem = f"{type(bug).__name__}: {bug}"
        if self.clock() - self._renewed >= SILENCE:
            return f"the Lease was not renewed for {SILENCE:.0f} s: {problem}"
        return ""

    def release(self) -> bool:
        """Free it if it is ours; whether it was. Raises ApiError, Unreachable."""
        for _ in range(_TRIES):
            found = holder(self.cluster)
            if found is None or found.identity != self.identity:
                return False
            try:
                self.cluster.patch("Lease", NAME, _patch("", found, None), namespace=NAMESPACE)
            except ApiError as problem:
                if problem.status != 409:
                    raise
                continue
            return True
        return False

    def _renew(self, begun: float) -> str:
        for _ in range(_TRIES):
            try:
                self._write(self._polled, self._seen)
            except ApiError as problem:
                if problem.status not in (404, 409):
                    raise
                found = holder(self._polled)
                if found is None or found.identity != self.identity:
                    return f"the Lease is lost: {_taken(found)}"
                self._seen = found
                continue
            self._renewed = begun
            return ""
        raise ApiError("the Lease changes faster than it can be renewed", status=409)

    def _refuse_or_watch(self, found: Holder) -> None:
        if found.migration == self.migration_id and surely_dead(found.process):
            return
        same_run = found.run == f"{self.migration_id}/{self.run}"
        if found.migration != self.migration_id or not (same_run or found.expired(self.wall())):
            raise _held(found, expired=found.expired(self.wall()))
        self.sleep(WATCH)
        again = holder(self.cluster)
        if again is not None and again.identity and again.version != found.version:
            raise _held(again, expired=False)

    def _write(self, cluster: Cluster, found: Holder | None) -> None:
        now = _time(self.wall())
        if found is None:
            spec = {
                "holderIdentity": self.identity,
                "leaseDurationSeconds": DURATION,
                "acquireTime": now,
                "renewTime": now,
            }
            body: Obj = {"metadata": {"name": NAME, "namespace": NAMESPACE}, "spec": spec}
            self._seen = _holder(cluster.create("Lease", body, namespace=NAMESPACE))
            return
        body = _patch(self.identity, found, now)
        self._seen = _holder(cluster.patch("Lease", NAME, body, namespace=NAMESPACE))


class Keeper:
    """Renews a Lease from a thread until stopped; `lost` is called once, with the reason, when it is lost."""

    def __init__(self, lease: Lease, lost: Callable[[str], None], *, every: float = EVERY) -> None:
        self._lease, self._lost, self._every = lease, lost, every
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="cri-switch-lease", daemon=True)

    def start(self) -> None:
        """Begin to renew."""
        self._thread.start()

    def stop(self, seconds: float = 5.0) -> None:
        """End the thread; one that waits for the API is left behind after `seconds`."""
        self._done.set()
        self._thread.join(seconds)

    def _keep(self) -> None:
        while not self._done.wait(self._every):
            why = self._lease.renew()
            if why and not self._done.is_set():
                self._lost(why)
                return


def _taken(found: Holder | None) -> str:
    """How a Lease went that was ours."""
    if found is None:
        return "somebody deleted it"
    return f"{found}" if found.identity else "somebody freed it (cri-switch unlock)"


def _held(found: Holder, *, expired: bool) -> LockHeld:
    next_step = "wait until that run has ended"
    if expired:
        next_step = "if that run is dead for certain: cri-switch unlock -f FILE, then the same command again"
    return LockHeld(
        f"Lease {NAMESPACE}/{NAME} is held by {found}{' (expired)' if expired else ''}",
        state="nothing was touched",
        next_step=next_step,
    )


def _holder(found: Obj) -> Holder:
    spec = found.get("spec") or {}
    return Holder(
        identity=str(spec.get("holderIdentity") or ""),
        since=str(spec.get("acquireTime") or ""),
        renewed=str(spec.get("renewTime") or ""),
        duration=int(spec.get("leaseDurationSeconds") or DURATION),
        version=str(found["metadata"].get("resourceVersion") or ""),
    )


def _patch(identity: str, found: Holder, now: str | None) -> Obj:
    """A merge patch that goes through only while the Lease is as it was found."""
    spec: Obj = {"holderIdentity": identity, "renewTime": now, "leaseDurationSeconds": DURATION}
    if identity != found.identity:
        spec["acquireTime"] = now
    return {"metadata": {"resourceVersion": found.version}, "spec": spec}


def _time(now: datetime) -> str:
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
