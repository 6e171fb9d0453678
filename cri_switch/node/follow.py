"""Follow a node while it comes back: the journal of kubelet and containerd, and the runtime's containers."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from cri_switch.model.errors import RemoteCommandFailed, RemoteTimeout, SudoRefused, Unreachable
from cri_switch.model.secrets import masked
from cri_switch.node.command import sudo
from cri_switch.node.connection import Connection
from cri_switch.node.facts.cri import ENDPOINT, cri_containers

_UNITS = ("-u", "kubelet", "-u", "containerd")
_CURSOR = "-- cursor: "
_AT_ONCE = 200


class Follower:
    """Says new lines of the article's `journalctl -u kubelet`, `-u containerd` and `crictl ps -a` until it is stopped.

    A thread of its own; `say` is called from it, at most 200 journal lines for each look. The last `keep` lines are
    kept for the error message of a deadline that passes. A lost connection is said, and tried again at the next look.
    """

    def __init__(
        self,
        connection: Connection,
        say: Callable[[str], None],
        *,
        endpoint: str = ENDPOINT,
        every: float = 3.0,
        keep: int = 60,
    ) -> None:
        self._connection, self._endpoint, self._say, self._every = connection, endpoint, say, every
        self._lines: deque[str] = deque(maxlen=keep)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"follow {connection.node}", daemon=True)
        self._cursor = ""
        self._states: dict[str, str] = {}
        self._lost = False
        self._given_up: set[str] = set()

    def __enter__(self) -> Follower:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begin: lines that are older than this are not shown."""
        self._thread.start()

    def stop(self, seconds: float = 15.0) -> None:
        """End it; a look that is under way is waited for at most that long (a command has a deadline of 10 s)."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(seconds)

    def last(self) -> tuple[str, ...]:
        """The last lines, oldest first."""
        return tuple(self._lines)

    def _run(self) -> None:
        while True:
            for look in (self._journal, self._containers):
                if self._stopped.is_set():
                    return
                if look.__name__ not in self._given_up:
                    self._try(look)
            if self._stopped.wait(self._every):
                return

    def _try(self, look: Callable[[], list[str]]) -> None:
        try:
            lines = look()
        except (Unreachable, RemoteTimeout) as problem:
            if not self._lost:
                self._tell(f"following stopped for now: {problem.what}")
            self._lost = True
            return
        except (RemoteCommandFailed, SudoRefused) as problem:
            self._given_up.add(look.__name__)
            lines = [f"cannot follow: {problem.what}"]
        if self._lost:
            self._lost = False
            self._tell("following again")
        for line in lines:
            self._tell(line)

    def _tell(self, line: str) -> None:
        if self._lines and self._lines[-1] == line:
            return
        self._lines.append(line)
        self._say(line)

    def _journal(self) -> list[str]:
        place = ("--after-cursor", self._cursor, "-n", str(_AT_ONCE)) if self._cursor else ("-n", "1")
        command = sudo("journalctl", "--no-pager", "--show-cursor", *place, *_UNITS, timeout=10, ok=(0, 1))
        lines = self._connection.run(command).stdout.splitlines()
        fresh = bool(self._cursor)
        for line in lines:
            if line.startswith(_CURSOR):
                self._cursor = line[len(_CURSOR) :].strip()
        return [masked(line) for line in lines if not line.startswith("-- ")] if fresh else []

    def _containers(self) -> list[str]:
        fact = cri_containers(self._endpoint, every=True)
        result = self._connection.run(sudo(*fact.command.argv, timeout=10, ok=(0, 1, 127)))
        if result.rc:
            lines = result.stderr.strip().splitlines()
            return [f"crictl ps: {lines[-1] if lines else 'no answer'}"]
        told = []
        states = {one.id: one for one in fact.parse(result)}
        for one in states.values():
            state = one.state.removeprefix("CONTAINER_").lower()
            if self._states.get(one.id) != state:
                told.append(f"crictl ps: {one.name} of {one.pod} (attempt {one.attempt}) is {state}")
            self._states[one.id] = state
        return told
