"""Prefect's settings: one result storage for every way in."""

from __future__ import annotations

import io
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cri_switch.cli.engine import WithoutTraceback, no_engine_talk, prepare, result_storage
from cri_switch.model.errors import NodeFailed


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"HOME": "/h"}, "/h/.local/state/cri-switch/results"),
        ({"HOME": "/h", "XDG_STATE_HOME": "/s"}, "/s/cri-switch/results"),
        ({"HOME": "/h", "XDG_STATE_HOME": "relative"}, "/h/.local/state/cri-switch/results"),
        ({"HOME": "/h", "PREFECT_LOCAL_STORAGE_PATH": "/p", "XDG_STATE_HOME": "/s"}, "/p"),
        ({"HOME": "/h", "PREFECT_RESULTS_LOCAL_STORAGE_PATH": "/q"}, "/q"),
    ],
)
def test_where_the_checkpoints_are(environment: dict[str, str], expected: str) -> None:
    assert result_storage(environment) == expected


@pytest.fixture(autouse=True)
def own_umask() -> Iterator[None]:
    """It is set for the process."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_prepare_leaves_what_the_user_set(tmp_path: Path) -> None:
    name = "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE"
    environment = {"HOME": str(tmp_path), name: "7", "PREFECT_RESULTS_LOCAL_STORAGE_PATH": str(tmp_path / "r")}
    prepare(environment)
    assert environment[name] == "7"
    assert environment["PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE"] == "100"
    assert environment["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
    assert environment["PREFECT_LOCAL_STORAGE_PATH"] == str(tmp_path / "r")
    assert "PREFECT_RESULTS_LOCAL_STORAGE_PATH" not in environment
    assert (tmp_path / "r").stat().st_mode & 0o777 == 0o700


def test_what_is_made_from_now_on_is_for_this_user_only(tmp_path: Path) -> None:
    prepare({"HOME": str(tmp_path)})
    (tmp_path / "checkpoint").touch()
    (tmp_path / "made").mkdir()
    assert (tmp_path / "checkpoint").stat().st_mode & 0o777 == 0o600
    assert {p.stat().st_mode & 0o777 for p in tmp_path.rglob("*") if p.is_dir()} == {0o700}


def test_expected_errors_are_shown_without_a_traceback_and_others_with() -> None:
    handler = logging.StreamHandler(io.StringIO())
    handler.addFilter(WithoutTraceback(handler))
    other = logging.StreamHandler(io.StringIO())
    logger = logging.Logger("test")
    logger.addHandler(handler)
    logger.addHandler(other)
    for problem in (NodeFailed("w1"), ValueError("bug")):
        try:
            raise problem
        except (NodeFailed, ValueError):
            logger.exception("it failed")
    shown = handler.stream.getvalue()
    assert shown.count("it failed") == 2
    assert "NodeFailed" not in shown
    assert "ValueError: bug" in shown
    assert "NodeFailed" in other.stream.getvalue()


def test_the_start_and_end_of_the_temporary_server_are_not_shown() -> None:
    said = (
        "Starting temporary server on http://127.0.0.1:8165\nSee https://...",
        "Stopping temporary server on x",
        "else",
    )
    records = [logging.LogRecord("prefect", logging.INFO, "", 0, text, (), None) for text in said]
    assert [no_engine_talk(record) for record in records] == [False, False, True]


def test_a_task_that_ended_well_has_said_so_itself() -> None:
    said = ("Finished in state Completed()", "Finished in state Failed('x')", "node=w1 step=drain 0.2s drained")
    records = [logging.LogRecord("prefect.task_runs", logging.INFO, "", 0, text, (), None) for text in said]
    assert [no_engine_talk(record) for record in records] == [False, True, True]


@pytest.mark.parametrize(
    ("given", "level"),
    [
        ({}, "CRITICAL"),
        ({"PREFECT_SERVER_LOGGING_LEVEL": "DEBUG"}, "DEBUG"),
        ({"PREFECT_API_URL": "http://127.0.0.1:4200/api"}, None),
    ],
)
def test_only_a_server_inside_this_process_is_quiet(tmp_path: Path, given: dict[str, str], level: str | None) -> None:
    environment = {"HOME": str(tmp_path), **given}
    prepare(environment)
    assert environment.get("PREFECT_SERVER_LOGGING_LEVEL") == level


def test_a_flush_that_the_end_cuts_off_is_no_traceback(tmp_path: Path) -> None:
    """Prefect's task_run_recorder and its database's pool log it as an error: the server is ended with the command."""
    program = """if True:
        import asyncio, logging
        from cri_switch.cli.engine import prepare, quieten_server
        prepare()
        import prefect
        from prefect.logging.configuration import setup_logging
        quieten_server()
        assert logging.getLogger().level == logging.WARNING, "this process's own libraries are heard"
        setup_logging(incremental=False)  # the server's, with the environment that it inherits
        pool = "sqlalchemy.pool.impl.AsyncAdaptedQueuePool"
        for name in ("prefect.server.services.task_run_recorder", "uvicorn.error", pool):
            try:
                raise asyncio.CancelledError
            except asyncio.CancelledError:
                logging.getLogger(name).error("Error flushing 3 events", exc_info=True)
    """
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}

    def said(**more: str) -> str:
        environment = {**plain, "HOME": str(tmp_path), **more}
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=120, check=True
        )
        return done.stdout + done.stderr

    assert said() == ""
    assert "Error flushing" in said(PREFECT_SERVER_LOGGING_LEVEL="ERROR")
