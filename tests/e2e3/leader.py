"""Which of etcd's members leads, asked of each member itself every two seconds."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.e2e.site import Site

_METRICS = "http://127.0.0.1:2381/metrics"  # kubeadm's --listen-metrics-urls


@dataclass
class Leaders:
    """`seen`: when a node was first found to lead, in order."""

    seen: list[tuple[datetime, str]] = field(default_factory=list)

    def at(self, time: datetime) -> str:
        """Who led then, as far as anybody had noticed."""
        return [node for since, node in self.seen if since <= time][-1]


@contextmanager
def watching_leader(site: Site) -> Iterator[Leaders]:
    """Look in a thread until the block ends; who leads when it begins is known before it does."""
    leaders, end = Leaders(), threading.Event()
    planes = [node.spec.name for node in site.lab.control_planes]

    def look() -> None:
        for name in planes:
            if leads(site, name) and (not leaders.seen or leaders.seen[-1][1] != name):
                leaders.seen.append((datetime.now(UTC), name))

    def keep_looking() -> None:
        while not end.wait(2):
            look()

    look()
    assert leaders.seen, "etcd has no leader"
    thread = threading.Thread(target=keep_looking, name="etcd's leader")
    thread.start()
    try:
        yield leaders
    finally:
        end.set()
        thread.join(60)


def leads(site: Site, node: str) -> bool:
    """By the member's own metrics; one that does not answer does not lead."""
    if site.code(node, "curl", "-sf", "-m", "2", "-o", "/tmp/etcd-metrics", _METRICS) != 0:
        return False
    return bool(re.search(r"^etcd_server_is_leader 1$", site.root(node, "cat", "/tmp/etcd-metrics"), re.MULTILINE))
