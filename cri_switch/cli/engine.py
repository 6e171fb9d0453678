"""Prefect's settings for every way in: set before Prefect is imported, because Prefect reads them then."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping, MutableMapping
from copy import copy
from pathlib import Path

from cri_switch.model.errors import CriSwitchError
from cri_switch.model.private_file import make_private
from cri_switch.render.visible import visible

SETTINGS = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    # With Prefect's default of 1 the server loses task states in a burst, also when a finished run is started again.
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
    # Without PREFECT_API_URL a server starts inside this process; 20 s, the default, is little on a busy machine.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
}
"""What holds wherever cri-switch runs, unless the environment says otherwise; deployments/ has the same."""

SERVER_LEVEL = "PREFECT_SERVER_LOGGING_LEVEL"
"""What the server inside this process tells of itself."""

_LIBRARIES_LEVEL = "PREFECT_LOGGING_ROOT_LEVEL"
"""What the libraries tell that it uses: its database's too has a traceback for what the end cuts off."""

STORAGE = "PREFECT_LOCAL_STORAGE_PATH"
_STORAGE_TOO = "PREFECT_RESULTS_LOCAL_STORAGE_PATH"
"""Prefect's other name for it."""


def result_storage(environment: Mapping[str, str]) -> str:
    """Where the checkpoints are: one path for every way in and every run, or a run would not find another's.

    Prefect's own variable if it is set, else `cri-switch/results` in the user's state directory (XDG).
    """
    for name in (STORAGE, _STORAGE_TOO):
        if environment.get(name):
            return environment[name]
    state = environment.get("XDG_STATE_HOME", "")
    home = Path(state) if state.startswith("/") else Path(environment.get("HOME") or Path.home()) / ".local/state"
    return str(home / "cri-switch" / "results")


def prepare(environment: MutableMapping[str, str] | None = None) -> None:
    """Set Prefect's settings in the environment of this process; call it before anything imports prefect."""
    os.umask(0o077)  # checkpoints, Prefect's database, backups: for this user only, from the first byte
    environment = os.environ if environment is None else environment
    for name, value in SETTINGS.items():
        environment.setdefault(name, value)
    storage = Path(result_storage(environment)).expanduser().absolute()
    make_private(storage)
    environment.pop(_STORAGE_TOO, None)
    environment[STORAGE] = str(storage)
    if not environment.get("PREFECT_API_URL"):
        # It is ended with the command: what its services were writing then would be a traceback after the last word.
        environment.setdefault(SERVER_LEVEL, "CRITICAL")
    if environment.get("NO_COLOR"):
        environment.setdefault("PREFECT_LOGGING_COLORS", "false")


def quieten_server(environment: MutableMapping[str, str] | None = None) -> None:
    """Its libraries are as quiet as the server is; call it after Prefect was imported, or they are quiet here too.

    It is a child that inherits the environment (prefect.server.api.server.SubprocessASGIServer).
    """
    environment = os.environ if environment is None else environment
    if environment.get(SERVER_LEVEL) == "CRITICAL" and not environment.get("PREFECT_API_URL"):
        environment.setdefault(_LIBRARIES_LEVEL, "CRITICAL")


class WithoutTraceback(logging.Filter):
    """Shows an expected error on this handler without its traceback; other handlers see the record as it was."""

    def __init__(self, handler: logging.Handler) -> None:
        super().__init__()
        self._handler = handler

    def filter(self, record: logging.LogRecord) -> bool:
        problem = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        if not isinstance(problem, CriSwitchError):
            return True
        plain = copy(record)
        plain.exc_info = plain.exc_text = None
        self._handler.handle(plain)
        return False


def no_engine_talk(record: logging.LogRecord) -> bool:
    """Not what says nothing about the cluster: that Prefect's server starts and stops, that a task has ended well.

    A step says itself what it did; a plan of 1,000 nodes has 1,000 tasks.
    """
    text = record.getMessage()
    ours = record.name == "prefect" and re.match(r"(Starting|Stopping) temporary server", text)
    return not (ours or (record.name == "prefect.task_runs" and text.startswith("Finished in state Completed(")))


def quieten() -> None:
    """No tracebacks of expected errors on the console; call it after Prefect has set up its logging."""
    for handler in logging.getLogger().handlers:
        if no_engine_talk not in handler.filters:
            handler.addFilter(no_engine_talk)
            handler.addFilter(WithoutTraceback(handler))


class Harmless(logging.Formatter):
    """What another formatter makes of a record, its traceback too, with what a terminal would obey shown."""

    def __init__(self, inner: logging.Formatter | None) -> None:
        super().__init__()
        self._inner = inner or logging.Formatter()

    def format(self, record: logging.LogRecord) -> str:
        """The text for the terminal."""
        return visible(self._inner.format(record))


def escape() -> None:
    """No log line of a node's is obeyed by the terminal; call it after Prefect has set up its logging."""
    for handler in logging.getLogger().handlers:
        if not isinstance(handler.formatter, Harmless):
            handler.setFormatter(Harmless(handler.formatter))
