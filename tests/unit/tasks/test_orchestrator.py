"""What is told of the machine that the pipeline runs on: its own ids, and whether it is a pod of the target cluster."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks import orchestrator
from tests.unit.cluster.fake_api import FakeApi, cluster

FIB = """\
Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 10.0.0.7
        /32 host LOCAL
     |-- 10.0.0.255
        /32 link BROADCAST
     |-- 127.0.0.1
        /32 host LOCAL
"""


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    found = {"/etc/machine-id": "m1", "/proc/sys/kernel/random/boot_id": "b1", "/proc/net/fib_trie": FIB}
    monkeypatch.setattr(orchestrator, "_text", lambda path: found.get(str(path), ""))
    monkeypatch.setattr("socket.gethostname", lambda: "runner-0")
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    return found


def test_a_machine_of_its_own(files: dict[str, str]) -> None:
    here = orchestrator.here(cluster(FakeApi()))
    assert (here.machine_id, here.boot_id, here.hostname) == ("m1", "b1", "runner-0")
    assert here.addresses == {"10.0.0.7"}
    assert (here.pod, here.pod_found) == ("", False)


@pytest.mark.parametrize("there", [True, False], ids=["of this cluster", "of another"])
def test_a_pod(there: bool, files: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    account = tmp_path / "namespace"
    account.write_text("ops\n")
    monkeypatch.setattr(orchestrator, "_ACCOUNT", account)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1")
    api = FakeApi()
    if there:
        api.add("pods", {"metadata": {"name": "runner-0", "namespace": "ops"}})
    here = orchestrator.here(cluster(api))
    assert (here.pod, here.pod_found) == ("ops/runner-0", there)
