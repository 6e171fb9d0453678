"""How the nodes looked, second by second, by the API's word: when the workers were through."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.e2e.site import Object, Site


@dataclass(frozen=True)
class Moment:
    """One look at the nodes; an API that did not answer leaves `nodes` empty."""

    time: datetime
    nodes: dict[str, tuple[str, bool]]  # runtime, schedulable


@dataclass
class Timeline:
    """All looks, in order."""

    moments: list[Moment] = field(default_factory=list)

    def all_on(self, names: list[str], scheme: str) -> datetime:
        """When these nodes were first seen all on this runtime and schedulable."""
        for moment in self.moments:
            seen = [moment.nodes.get(name, ("", False)) for name in names]
            if all(runtime.startswith(scheme) and schedulable for runtime, schedulable in seen):
                return moment.time
        raise AssertionError(f"{names} were never all on {scheme} and schedulable; last: {self.moments[-1]}")

    def api_away(self) -> float:
        """Seconds of the longest time without an answer of the API."""
        longest, since = 0.0, None
        for moment in self.moments:
            if moment.nodes:
                since = moment.time
            elif since is not None:
                longest = max(longest, (moment.time - since).total_seconds())
        return longest


@contextmanager
def watching(site: Site) -> Iterator[Timeline]:
    """Look once a second in a thread, until the block ends."""
    timeline, end = Timeline(), threading.Event()

    def look() -> None:
        while not end.wait(1):
            now = datetime.now(UTC)
            answer = site.kubectl("get", "nodes", "-o", "json", "--request-timeout=3", check=False)
            timeline.moments.append(Moment(now, _nodes(json.loads(answer)["items"]) if answer else {}))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield timeline
    finally:
        end.set()
        thread.join(30)


def _nodes(items: list[Object]) -> dict[str, tuple[str, bool]]:
    return {
        item["metadata"]["name"]: (
            item["status"]["nodeInfo"]["containerRuntimeVersion"],
            not item["spec"].get("unschedulable", False),
        )
        for item in items
    }
