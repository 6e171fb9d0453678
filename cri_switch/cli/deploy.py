"""`cri-switch deploy`: deployments/prefect.yaml, filled in with a settings file, registered by Prefect itself."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import httpx
import yaml
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from prefect.settings import get_current_settings

from cri_switch.cli import talk
from cri_switch.cli.deployment_file import deployment_names, filled
from cri_switch.cli.engine import STORAGE, result_storage
from cri_switch.model.errors import CriSwitchError, SettingsError, Unreachable
from cri_switch.model.migration import Migration

ROOT = Path(__file__).resolve().parents[2]
SOURCE = Path("deployments/prefect.yaml")
_SECONDS = 300


def deploy(migration: Migration) -> list[str]:
    """Register its deployments; safe to repeat. Returns their names.

    Raises:
        SettingsError: no server is named, or a setting would be taken for a template.
        Unreachable: the server does not answer.
        CriSwitchError: Prefect refused.
    """
    url = get_current_settings().api.url
    if not url:
        raise SettingsError(
            "no Prefect server is named",
            state="nothing was registered",
            next_step="prefect server start, then export PREFECT_API_URL=http://127.0.0.1:4200/api",
        )
    source: dict[str, Any] = yaml.safe_load((ROOT / SOURCE).read_text(encoding="utf-8"))
    wanted = filled(source, migration, ROOT, result_storage(os.environ))
    names = deployment_names(wanted)
    try:
        with get_client(sync_client=True) as client:
            for pool in {each["work_pool"]["name"] for each in wanted["deployments"]}:
                _ensure_pool(client, pool)
            for name, each in zip(names, wanted["deployments"], strict=True):
                _keep_schedules(client, name, each)
    except (httpx.TransportError, httpx.HTTPStatusError) as problem:
        raise Unreachable(
            f"the Prefect server at {url} does not answer: {problem}",
            state="nothing was registered",
            next_step=f"curl -sS {url}/health",
        ) from problem
    _register(wanted)
    _tell(names, wanted["deployments"][0]["work_pool"]["name"], url)
    return names


def _ensure_pool(client: SyncPrefectClient, name: str) -> None:
    try:
        client.read_work_pool(name)
    except ObjectNotFound:
        try:
            client.create_work_pool(WorkPoolCreate(name=name, type="process", base_job_template=_template()))
        except ObjectAlreadyExists:
            return
        talk.say(f"work pool {name} created")


def _template() -> dict[str, Any]:
    from prefect.workers.process import ProcessWorker  # noqa: PLC0415 (slow to import, seldom needed)

    return ProcessWorker.get_default_base_job_template()


def _keep_schedules(client: SyncPrefectClient, name: str, wanted: dict[str, Any]) -> None:
    """What an administrator made of a schedule on the server stays: Prefect leaves what is not named."""
    try:
        there = client.read_deployment_by_name(name)
    except ObjectNotFound:
        return
    slugs = {schedule.slug for schedule in there.schedules}
    missing = [schedule for schedule in wanted.get("schedules", []) if schedule["slug"] not in slugs]
    if not missing:
        wanted.pop("schedules", None)


def _register(wanted: Any) -> None:
    with tempfile.TemporaryDirectory(prefix="cri-switch-") as directory:
        file = Path(directory) / "prefect.yaml"
        file.write_text(yaml.safe_dump(wanted, sort_keys=False), encoding="utf-8")
        command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all", "--prefect-file", str(file)]
        try:
            done = subprocess.run(
                command,
                cwd=ROOT,
                env={**os.environ, STORAGE: result_storage(os.environ)},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as problem:
            raise CriSwitchError(
                f"prefect deploy did not end within {_SECONDS} s",
                state="a deployment may be registered",
                next_step="run the same command again",
            ) from problem
    if done.returncode != 0:
        raise CriSwitchError(
            f"prefect deploy failed with exit code {done.returncode}:\n{done.stdout}{done.stderr}".rstrip(),
            state="a deployment may be registered",
            next_step="correct what is named above and run the same command again",
        )


def _tell(names: list[str], pool: str, url: str) -> None:
    programs = Path(sys.executable).parent
    lines = [
        f"registered at {url}",
        "Start a worker, if none runs:",
        f"  {programs}/prefect worker start --pool {pool}",
        "Then look, and run:",
        *(f"  {programs}/prefect deployment run {name} --watch" for name in names),
    ]
    talk.say("\n".join(lines))
