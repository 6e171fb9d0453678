"""One migration at a time per cluster: the Lease kube-system/cri-switch (DESIGN rule 9)."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cri_switch.cluster.client import Cluster, Obj
from cri_switch.cluster.lease_holder import (
    DURATION,
    NAME,
    NAMESPACE,
    Holder,
    held,
    holder,
    lease_patch,
    parse_holder,
    taken,
)
from cri_switch.cluster.process_identity import surely_dead, this_process
from cri_switch.model.errors import ApiError, LockHeld, Unreachable

EVERY = 15.0
"""Seconds: how often it is renewed."""
WATCH = 2 * EVERY + 5
"""Seconds for which a holder that seems dead is watched before its Lease is taken: clocks may differ."""
SILENCE = DURATION - EVERY
"""Seconds without a renewal after which it is lost. One that is under way may hang for 36 s more (transport.py): that
is noticed before DURATION + WATCH, when somebody else may take it."""
_TRIES = 5


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
                self.cluster.patch("Lease", NAME, lease_patch("", found, None), namespace=NAMESPACE)
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
                    return f"the Lease is lost: {taken(found)}"
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
            raise held(found, expired=found.expired(self.wall()))
        self.sleep(WATCH)
        again = holder(self.cluster)
        if again is not None and again.identity and again.version != found.version:
            raise held(again, expired=False)

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
            self._seen = parse_holder(cluster.create("Lease", body, namespace=NAMESPACE))
            return
        body = lease_patch(self.identity, found, now)
        self._seen = parse_holder(cluster.patch("Lease", NAME, body, namespace=NAMESPACE))


def _time(now: datetime) -> str:
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
