"""No error is shown without the state and what to type, whatever class it is of and whichever command was typed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import cri_switch.render.errors
from cri_switch.cli import talk
from cri_switch.cli.completed import completed
from cri_switch.cli.manual import MANUAL
from cri_switch.model.errors import CriSwitchError, NotProven, RemoteCommandFailed, UsageError

_FIRST = {RemoteCommandFailed: {"rc": 1, "stderr": ""}}


def classes(above: type[CriSwitchError] = CriSwitchError) -> Iterator[type[CriSwitchError]]:
    yield above
    for each in above.__subclasses__():
        yield from classes(each)


KINDS: list[type[CriSwitchError]] = list(dict.fromkeys(classes()))


def bare(kind: type[CriSwitchError]) -> CriSwitchError:
    if kind is cri_switch.render.errors.RenderError:
        return kind("/etc/x", 3, "what")
    return kind("what", **_FIRST.get(kind, {}))  # type: ignore[arg-type]


@pytest.mark.parametrize("command", MANUAL)
@pytest.mark.parametrize("kind", KINDS)
def test_every_error_says_state_and_next(
    kind: type[CriSwitchError], command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    talk.complain(completed(bare(kind), [command, "-f", "prod.yaml", "--yes"]))
    words = [line.partition(": ") for line in capsys.readouterr().err.splitlines()]
    assert [word[0] for word in words] == ["error", "state", "next"]
    assert all(word[2] for word in words)


def test_what_an_error_says_itself_stays() -> None:
    found = completed(NotProven("x", state="w1 is cordoned", next_step="kubectl uncordon w1"), ["migrate"])
    assert (found.state, found.next_step) == ("w1 is cordoned", "kubectl uncordon w1")


@pytest.mark.parametrize(
    ("argv", "state"),
    [
        (["status", "-f", "p.yaml"], "nothing was touched"),
        (["migrate", "-f", "p.yaml", "--dry-run"], "nothing was touched"),
        (["migrate", "-f", "a b.yaml", "--yes"], "cri-switch status -f 'a b.yaml' shows where each node stands"),
        (["rollback", "w1"], "cri-switch status -f FILE shows where each node stands"),
        (["demo"], "nothing real was touched"),
    ],
)
def test_the_state_is_true_for_the_command(argv: list[str], state: str) -> None:
    assert completed(CriSwitchError("x"), argv).state == state


def test_a_wrong_command_line_names_its_own_help() -> None:
    assert completed(UsageError("x"), ["plan"]).next_step == "cri-switch plan --help"
    assert completed(UsageError("x"), []).next_step == "cri-switch --help"
