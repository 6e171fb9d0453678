"""What `plan` prints, whole."""

from __future__ import annotations

from typing import Any

import pytest

from cri_switch.cli.plan_text import plan_text, spoken
from cri_switch.model.estimate import Estimate
from cri_switch.model.finding import Finding
from cri_switch.model.migration import Backup, ClusterAccess, Metadata, Migration, Spec
from cri_switch.model.node_ref import NodeRef
from cri_switch.model.plan import NodePlan
from cri_switch.model.planned_run import BackupPlan, PlannedRun

W1 = NodeRef(name="w1", uid="u1", kubelet_version="v1.20.2", runtime="docker://20.10.5", unschedulable=True)
W2 = NodeRef(name="w2", uid="u2", kubelet_version="v1.20.2", runtime="containerd://1.4.13")
C1 = NodeRef(name="c1", uid="u3", role="control-plane", kubelet_version="v1.20.2", runtime="docker://20.10.5")


def planned(**changes: Any) -> PlannedRun:
    spec = Spec(cluster=ClusterAccess(kubeconfig="k"), backup=Backup(directory="/b"))
    return PlannedRun(
        cluster_uid="u",
        migration_id="m",
        target="containerd",
        nodes=(
            NodePlan(node=C1, action="migrate"),
            NodePlan(node=W2, action="skip", reason="already on containerd://1.4.13", remove_docker=True),
            NodePlan(node=W1, action="migrate", zone="a"),
        ),
        batches=((W1,), (C1,)),
        settings=Migration(metadata=Metadata(name="prod"), spec=spec),
        runtimes={"w1": "1.4.13~ds1-1~deb11u4", "c1": "1.4.13"},
        backup=BackupPlan(directory="/b", saved=("etcd",), not_saved=("hostPath /data",)),
        estimate=Estimate(seconds=130, grounds=("2 batches",)),
        findings=(Finding("error", "NotEnoughDisk", "c1: no room", node="c1", remedy="make room"),),
        next_command="cri-switch migrate -f prod.yaml --yes",
    ).model_copy(update=changes)


def test_the_whole_page() -> None:
    assert plan_text(planned()).splitlines() == [
        "NODE   ROLES           KUBELET   RUNTIME               TARGET                ACTION    REASON",
        "w1     worker          v1.20.2   docker://20.10.5      containerd://1.4.13   migrate   cordoned, and stays so",
        "c1     control-plane   v1.20.2   docker://20.10.5      containerd://1.4.13   blocked   NotEnoughDisk",
        "w2     worker          v1.20.2   containerd://1.4.13   <none>                skip      "
        "already on containerd://1.4.13; Docker's packages are left to remove",
        "",
        "BATCH   NODES   NOTE",
        "1       w1      first, alone; zone a",
        "2       c1      control plane, alone",
        "",
        "Steps of a node: cordon, drain, stop_kubelet, stop_docker, install_runtime, configure_runtime, start_runtime, "
        "configure_kubelet, start_kubelet, verify_node, uncordon, settle",
        "Docker's packages are removed, never purged, once the whole cluster is verified; Docker's data stays.",
        "",
        "Backup: a directory of its own below /b, on this machine",
        "  in it: etcd",
        "  not in it: hostPath /data",
        "",
        "Estimated duration: 2 min",
        "  2 batches",
        "",
        "[preflight] Some fatal errors occurred:",
        "\t[ERROR NotEnoughDisk]: c1: no room",
        "\t\tfix: make room",
        "[preflight] If you know what you are doing, you can make a check non-fatal with "
        "`--ignore-preflight-errors=...`",
        "",
        "Plan: 2 to migrate, 0 to resume, 1 left alone, 1 of them blocked.",
        "",
        "Next: mend the errors, then: cri-switch migrate -f prod.yaml --yes",
    ]


def test_without_errors_the_next_command_is_all() -> None:
    assert plan_text(planned(findings=())).splitlines()[-1] == "Next: cri-switch migrate -f prod.yaml --yes"


def test_nothing_to_do_is_short() -> None:
    found = planned(
        nodes=(NodePlan(node=W2, action="skip", reason="already"),), batches=(), findings=(), next_command=""
    )
    assert plan_text(found).splitlines()[2:] == ["", "Plan: 0 to migrate, 0 to resume, 1 left alone."]


@pytest.mark.parametrize(
    ("seconds", "text"), [(40, "40 s"), (130, "2 min"), (3900, "1 h 05 min"), (3599, "1 h 00 min")]
)
def test_spoken(seconds: float, text: str) -> None:
    assert spoken(seconds) == text
