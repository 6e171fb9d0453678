"""A block in which the promises of a migration must be kept, by the API's own changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.api_events import recorded
from tests.support.invariants import Promise, judge


@contextmanager
def kept(kubeconfig: Path, path: Path, promise: Promise, *, cut: bool = False) -> Iterator[None]:
    """Record the block's changes in `path`, and judge them when it has ended well; `cut`: the API may be away then.

    Raises:
        AssertionError: a promise was broken, or the recording is not whole.
    """
    with recorded(kubeconfig, path, cut=cut) as events:
        yield
    broken = judge(events.lines(), promise).broken
    assert not broken, "\n".join(broken)
