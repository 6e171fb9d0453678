"""The article's advice for a control plane: watch kubelet, containerd and crictl while waiting."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prefect import get_run_logger

from cri_switch.model.errors import CriSwitchError
from cri_switch.model.migration import Migration
from cri_switch.model.node_ref import NodeRef
from cri_switch.node.follow import Follower
from tasks import reach

_LINES = 40


@contextmanager
def followed(node: NodeRef, migration: Migration) -> Iterator[None]:
    """Follow a control-plane node's journals in the run's log; an error inside gets the last lines attached."""
    if node.role != "control-plane":
        yield
        return
    logger = get_run_logger()
    follower = Follower(
        reach.node(node, migration),
        lambda line: logger.info("node=%s | %s", node.name, line),
        endpoint=migration.spec.target.endpoint,
    )
    follower.start()
    try:
        yield
    except CriSwitchError as problem:
        follower.stop()
        problem.followed = follower.last()[-_LINES:]
        problem.state = "\n".join(part for part in (problem.state, *problem.followed) if part)
        raise
    finally:
        follower.stop()
