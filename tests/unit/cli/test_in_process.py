"""The next command that is shown is one that can be typed."""

from __future__ import annotations

import pytest

from cri_switch.cli.in_process import show_reported
from cri_switch.model.errors import RollbackFailed
from cri_switch.model.migration import Backup, ClusterAccess, Metadata, Migration, Spec
from cri_switch.model.report import NodeReport, Report

MIGRATION = Migration(
    metadata=Metadata(name="m"), spec=Spec(cluster=ClusterAccess(kubeconfig="k"), backup=Backup(directory="d"))
)


def test_the_settings_file_stands_in_the_next_command_and_in_the_report(capsys: pytest.CaptureFixture[str]) -> None:
    command = "cri-switch rollback w1 -f FILE --yes"
    row = NodeReport(name="w1", role="worker", runtime_before="docker://1", outcome="unhealthy", reason=command)
    problem = RollbackFailed("w1: no", next_step=command)
    problem.report = Report(migration="m", migration_id="i", cluster_uid="c", target="containerd", nodes=[row])

    def flow(_migration: Migration) -> object:
        raise problem

    with pytest.raises(RollbackFailed) as caught:
        show_reported(flow, MIGRATION, "json", False, file="/etc/my sites/m.yaml")
    assert caught.value.next_step == "cri-switch rollback w1 -f '/etc/my sites/m.yaml' --yes"
    assert "-f '/etc/my sites/m.yaml' --yes" in capsys.readouterr().out
