"""The failing variants tried on one node, real or simulated, and how the node stood afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress

from cri_switch.model.errors import CriSwitchError
from cri_switch.node.command import sudo
from cri_switch.node.connection import Connection
from tests.twin.failing import MASKED, STANDING, Variant
from tests.twin.standing import standing
from tests.twin.tape import Tape

_ANY = range(256)
_GONE = ("docker", "ps", "-aq", "--no-trunc")


def try_docker(connection: Connection, tape: Tape, variants: Sequence[Variant]) -> None:
    """On a node before its migration; at the end Docker is stopped for a moment."""
    _say(
        connection, "systemd-run", f"--unit={STANDING}", "--description=cri-switch", "--remain-after-exit", "--", "true"
    )
    _try(connection, tape, "docker", variants)
    _say(connection, "systemctl", "stop", STANDING)
    _say(connection, "systemctl", "unmask", MASKED)
    with _stopped(connection, "kubelet.service", "docker.socket", "docker.service"):
        _try(connection, tape, "stopped docker", variants)


def try_containerd(connection: Connection, tape: Tape, variants: Sequence[Variant]) -> None:
    """On a node after its migration: Docker is gone."""
    _try(connection, tape, "containerd", [*variants, Variant("", sudo(*_GONE, ok=_ANY), "containerd")])
    with _stopped(connection, "containerd.service"):
        _try(connection, tape, "stopped containerd", variants)


def try_refused(connection: Connection, tape: Tape, variants: Iterable[Variant], hide: Callable[[bool], None]) -> None:
    """Everything that needs sudo, while its rule is hidden by `hide`."""
    hide(True)
    try:
        wanted = [Variant(one.shape, one.command, "refused") for one in variants if one.command.sudo]
        _try(connection, tape, "refused", wanted)
    finally:
        hide(False)


def _try(connection: Connection, tape: Tape, state: str, variants: Iterable[Variant]) -> None:
    node = connection.node
    tape.stages[node] = f"{state}: fails"
    for one in variants:
        if one.state == state:
            with suppress(CriSwitchError):  # it is on the tape
                connection.run(one.command)
    if state != "refused":
        with tape.unheard():
            tape.states.append((node, tape.stages[node], standing(connection)))


@contextmanager
def _stopped(connection: Connection, *units: str) -> Iterator[None]:
    for unit in units:
        _say(connection, "systemctl", "stop", unit)
    try:
        yield
    finally:
        for unit in reversed(units):
            _say(connection, "systemctl", "start", unit)


def _say(connection: Connection, *argv: str) -> None:
    connection.run(sudo(*argv, ok=_ANY, timeout=120))
