"""`cri-switch status`."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

from cyclopts import Parameter

from cri_switch.cli import talk
from cri_switch.cli.options import Debug, File, Output
from cri_switch.cli.standing import standing
from cri_switch.cli.tables import table
from cri_switch.cluster.client import Cluster
from cri_switch.model.errors import ApiError, Unreachable
from cri_switch.model.settings_file import load_migration
from cri_switch.model.standing import NodeStanding, Standing
from cri_switch.node.pool import ConnectionPool
from cri_switch.node.ssh import SshConnection

HEAD = ("NODE", "STATUS", "ROLES", "KUBELET", "RUNTIME", "PHASE", "ATTEMPT", "STEP", "SINCE", "CORDONED-BY", "NEXT")
_EVERY = 2.0


def status(
    *,
    file: File,
    watch: Annotated[
        bool, Parameter(name=["--watch", "-w"], negative=(), help="Again until the run has ended.")
    ] = False,
    output: Output = "table",
    debug: Debug = False,  # noqa: ARG001 (`main` looks at it)
) -> None:
    """Where a migration stands, from the cluster and the nodes alone."""
    migration = load_migration(file)
    api, pool = Cluster.open(migration.spec.cluster), ConnectionPool(SshConnection.open)
    try:
        follow(
            lambda: standing(api, lambda node: pool.get(node, migration.spec.ssh), migration, file=shlex.quote(file)),
            output,
            watch=watch,
        )
    finally:
        pool.close_all()


def follow(
    ask: Callable[[], Standing], output: talk.Output, *, watch: bool, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Show it once, or each time that it is another until nobody holds the Lease.

    An API that is away while a control-plane node is switched is waited for. Raises ApiError, Unreachable (first look).
    """
    found = ask()
    shown = ""
    while True:
        text = _text(found, datetime.now(UTC).timestamp())
        facts = found.model_copy(update={"renewed": ""}).model_dump_json()
        if facts != shown:
            _show(found, text, output, again=bool(shown))
            shown = facts
        if not (watch and found.running):
            return
        sleep(_EVERY)
        try:
            found = ask()
        except (ApiError, Unreachable) as problem:
            talk.say(f"the API does not answer: {problem.what.splitlines()[0]}", "yellow")


def _show(found: Standing, text: str, output: talk.Output, *, again: bool) -> None:
    if output == "table" and again and sys.stdout.isatty():
        sys.stdout.write("\x1b[H\x1b[2J")  # like watch(1): the newest look alone
    elif again and output == "table":
        sys.stdout.write("\n")
    elif again and output == "yaml":
        sys.stdout.write("---\n")
    talk.show(found, text, output)


def _text(found: Standing, now: float) -> str:
    lease = f"Lease held by {found.holder} since {found.since}, renewed {found.renewed}" if found.holder else "No run"
    if found.holder and not found.running:
        lease += "; it has expired: that run seems dead"
    rows = (_row(node, now) for node in found.nodes)
    problems = [f"{node.name}: {node.problem.splitlines()[0]}" for node in found.nodes if node.problem]
    return "\n".join([table(HEAD, rows), "", f"{lease}.", *problems, f"{found.migration}: {found.summary}"])


def _row(node: NodeStanding, now: float) -> list[str]:
    state = "Ready" if node.ready else "NotReady"
    return [
        node.name,
        state + (",SchedulingDisabled" if node.cordon else ""),
        node.role,
        node.kubelet_version,
        node.runtime,
        node.phase,
        "" if node.attempt is None else str(node.attempt),
        f"{node.step} {node.event}".strip(),
        "" if node.at is None else age(now - node.at),
        node.cordon,
        node.next,
    ]


def age(seconds: float) -> str:
    """As kubectl's AGE: `45s`, `12m`, `3h`, `2d`."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= 2 * size:
            return f"{seconds // size:.0f}{unit}"
    return f"{max(0.0, seconds):.0f}s"
