"""Secrets of the nodes' files are nowhere outside of them, on real machines; names that are hostile reach no shell."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

import pytest

from tests.e2e.site import Site
from tests.e2e.wait import until_none
from tests.faults.leaks import files_with, listening
from tests.faults.look import whole
from tests.faults.planted import DAEMON, planted
from tests.faults.run import Ended, Runs
from tests.support.prefect_server import PrefectServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]


def test_a_migration_and_a_way_back_leak_nothing(site: Site, output: Path, tmp_path: Path) -> None:
    mark = secrets.token_hex(12)
    until_none("the workload to be whole", lambda: whole(site), 300, every=1)
    with planted(site, mark) as paths, PrefectServer(tmp_path / "prefect") as server, listening() as words:
        runs = Runs(site, tmp_path, output / "faults", server.api)
        failed = runs.migrate(["w1"], ("w1", "start_kubelet", "after"))
        assert (failed.exit_code, failed.outcomes) == (7, {"w1": "rolled-back"}), failed.log[-3000:]
        done = runs.migrate(["*"])
        assert (done.exit_code, set(done.outcomes.values())) == (0, {"migrated"}), done.log[-3000:]
        back = [runs.rollback(node) for node in site.nodes]
        assert [each.exit_code for each in back] == [0] * len(back), back[0].log[-3000:]

        assert files_with(mark, tmp_path, output / "faults") == []
        assert _said(mark, failed, done, *back) == []
        assert words.with_word(mark) == []
        assert mark not in site.kubectl("get", "nodes,pods,events,leases", "-A", "-o", "json")
        for node in site.nodes:
            assert _journal(site, node, mark) == []
            assert _readable(site, node, mark, paths[node]) == []
            assert mark in (site.read(node, DAEMON) or ""), "what was planted is there to be found"
            assert site.root(node, "find", "/", "-xdev", "-name", "pwned*", timeout=120) == ""
        # and where it would have been found
        assert str(tmp_path / "prefect" / "prefect.db") in " ".join(files_with("start_kubelet", tmp_path))
        assert words.with_word("/var/lib/cri-switch/"), f"{words.looks} looks at the processes"
    assert list(Path.cwd().glob("pwned*")) == []


def _said(mark: str, *runs: Ended) -> list[str]:
    return [text[:300] for run in runs for text in (run.log, json.dumps(run.report)) if mark in text]


def _journal(site: Site, node: str, mark: str) -> list[str]:
    """Lines of the system's journal, sudo's own among them; a kubelet on Docker logs all that Docker says."""
    text = site.root(node, "journalctl", "--no-pager", "--boot", "-o", "short", timeout=120)
    return [line for line in text.splitlines() if mark in line and "] Docker Info: " not in line]


def _readable(site: Site, node: str, mark: str, planted: list[str]) -> list[str]:
    """Files with the secret that others than root may read, but for what was planted."""
    places = ("/etc", "/var/lib/cri-switch", "/run/systemd", "/tmp", "/home", "/usr/local")
    listed = site.root(node, "sh", "-c", 'grep -rlZFf - "$@" || true', "grep", *places, stdin=mark)
    found = [path for path in listed.split("\0") if path and path not in planted]
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    return [path for path in found if site.code(node, *nobody, "test", "-r", path) == 0]
