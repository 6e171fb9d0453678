"""A thread that renews the Lease."""

from __future__ import annotations

import threading
from collections.abc import Callable

from cri_switch.cluster.lease import EVERY, Lease


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
