"""A person's yes: a suspended run in the UI, or a question on the terminal."""

from __future__ import annotations

import getpass
import sys
from datetime import UTC, datetime
from uuid import UUID

from prefect import get_run_logger
from prefect.artifacts import create_markdown_artifact
from prefect.client.orchestration import get_client
from prefect.flow_runs import suspend_flow_run
from prefect.input import RunInput
from prefect.runtime import deployment, flow_run
from pydantic import Field

from cri_switch.model.errors import NotApproved
from cri_switch.model.migration import Migration
from cri_switch.model.report import Approval
from cri_switch.render.visible import visible

POINTS = {"after_canary": ("after_canary",), "before_control_plane": ("before_control_plane",), "none": ()}
POINTS["both"] = (*POINTS["after_canary"], *POINTS["before_control_plane"])
_WEEK = 7 * 86400


class Answer(RunInput):
    """What the UI asks; a resume without it leaves the safe default."""

    approved: bool = Field(default=False, description="Go on with the migration")
    by: str = Field(default="", description="Your name, for the report")


def check_askable(migration: Migration) -> None:
    """Raise NotApproved where an approval is wanted and nobody could be asked; nothing was touched."""
    if POINTS[migration.spec.approval] and not deployment.get_id() and not sys.stdin.isatty():
        raise NotApproved(
            f"approval: {migration.spec.approval}: there is neither a terminal nor a deployment to ask at",
            state="nothing was touched",
            next_step="run it on a terminal, or: cri-switch deploy -f FILE; prefect deployment run"
            f" migrate-cluster/{migration.metadata.name}; or set spec.approval: none",
        )


def asked_before() -> list[str]:
    """The points at which this very run was suspended already: its answers must be looked at before anything else."""
    run = flow_run.get_id()
    if not deployment.get_id() or not run:
        return []
    with get_client(sync_client=True) as client:
        keys = client.read_flow_run(UUID(run)).empirical_policy.pause_keys or set()
    return [point for point in POINTS["both"] if _key(point) in keys]


def _key(point: str) -> str:
    """A point as the engine takes it: no underscores."""
    return point.replace("_", "-")


def approve(point: str, text: str, migration: Migration) -> Approval:
    """Ask, and who said yes and when; `text` is markdown with the result so far. Under a deployment the run suspends.

    Raises:
        NotApproved: the answer is no, or none: a Resume without an explicit yes does not go on.
    """
    answer = _suspended(point, text, migration) if deployment.get_id() else _typed(point, text)
    if answer.approved is not True:
        raise NotApproved(
            f"{point}: nobody said yes" if not answer.by else f"{point}: {answer.by} did not say yes",
            state="what was migrated stays so; no further node is started",
            next_step="run the same command again: it goes on here and asks anew",
        )
    at = _resumed_at(point) if deployment.get_id() else datetime.now(UTC)
    found = Approval(point=point, by=answer.by or "unnamed, in the UI", at=at.astimezone(UTC).isoformat("T", "seconds"))
    get_run_logger().info("%s: approved by %s at %s", found.point, found.by, found.at)
    return found


def _suspended(point: str, text: str, migration: Migration) -> Answer:
    key = f"approval-{migration.metadata.name}"
    create_markdown_artifact(text, key=key, description=f"cri-switch asks: {point}")
    wanted = Answer.with_initial_data(description=text)
    answer = suspend_flow_run(wait_for_input=wanted, timeout=_WEEK, key=_key(point))
    return Answer(approved=answer.approved is True, by=answer.by)


def _typed(point: str, text: str) -> Answer:
    sys.stderr.write(f"\n{visible(text)}\n\n{point}: go on? Type yes: ")
    sys.stderr.flush()
    return Answer(approved=sys.stdin.readline().strip().lower() == "yes", by=getpass.getuser())


def _resumed_at(point: str) -> datetime:
    """When the run was resumed from its suspension at `point`, by the server's states."""
    with get_client(sync_client=True) as client:
        states = sorted(client.read_flow_run_states(UUID(flow_run.get_id())), key=lambda state: state.timestamp)
    after = False
    for state in states:
        if after:
            return state.timestamp
        after = state.is_paused() and state.state_details.pause_key == _key(point)
    return datetime.now(UTC)
