"""The prompt of `cleanup` on a real pseudo-terminal: only the cluster's own name deletes; piped, nobody is asked."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cri_switch.rehearsal.process import RehearsalProcess, Wish
from tests.support.terminal import on_terminal, plain

PROMPT = "Type the cluster's name to go on: "


class Ground:
    """A cluster of which w1 is on containerd, its packages of Docker gone and Docker's data still there."""

    def __init__(self, directory: Path, rehearsal: RehearsalProcess) -> None:
        self.rehearsal = rehearsal
        self.command = [sys.executable, "-m", "cri_switch.cli", "cleanup", "-f", str(directory / "migration.yaml")]
        self.environment = {
            "PREFECT_HOME": str(directory / "prefect"),
            "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "300",
        }

    def typed(self, answer: str) -> tuple[int, list[str]]:
        code, seen = on_terminal(
            self.command, columns=120, environment=self.environment, answers={PROMPT: answer}, seconds=400
        )
        return code, plain(seen)

    def piped(self, *words: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, **self.environment}
        return subprocess.run(
            [*self.command, *words], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=False, timeout=400,
        )  # fmt: skip


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    directory = tmp_path_factory.mktemp("cleanup")
    wish = Wish(directory=str(directory), nodes=2, control_planes=1, migrated=("w1",))
    with RehearsalProcess(wish) as rehearsal:
        rehearsal.wait()
        yield Ground(directory, rehearsal)


def test_piped_nobody_is_asked(ground: Ground) -> None:
    done = ground.piped()
    assert (done.returncode, PROMPT in done.stderr) == (0, False), done.stderr
    assert "w1     /var/lib/docker   to-delete" in done.stdout
    assert "Nothing was deleted. Run again with --yes --confirm-cluster rehearsal" in done.stderr


@pytest.mark.parametrize("answer", ["yes", "", "rehearsal2"])
def test_another_word_deletes_nothing(ground: Ground, answer: str) -> None:
    code, lines = ground.typed(answer)
    assert code == 0
    assert "This deletes Docker's images, containers and volumes on 1 node, for good." in lines
    assert lines[-1] == "That is not its name. Nothing was deleted.", "\n".join(lines[-40:])


def test_the_clusters_name_deletes(ground: Ground) -> None:
    ground.rehearsal.clean()  # before: whatever is deleted is a promise broken
    code, lines = ground.typed("rehearsal")
    assert code == 0, lines
    assert [line.split()[:3] for line in lines if line.startswith("w1")] == [
        ["w1", "/var/lib/docker", "to-delete"],
        ["w1", "/var/lib/docker", "deleted"],
    ]
    code, lines = ground.typed("rehearsal")
    assert not any(line.startswith(PROMPT) for line in lines), "there is nothing left to ask about"
    assert [line.split()[:3] for line in lines if line.startswith("w1")] == [["w1", "/var/lib/docker", "gone"]]
