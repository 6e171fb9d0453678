"""A simulated cluster dressed with as many problems as it can express: the whole report is compared."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cri_switch.model.errors import PreflightError
from cri_switch.model.finding import Finding
from cri_switch.model.planned_run import PlannedRun
from cri_switch.rehearsal.build import ClusterSpec, build
from cri_switch.rehearsal.clock import VirtualClock
from cri_switch.rehearsal.machine import Machine
from tests.rehearsal.dress import nodes
from tests.rehearsal.dress.workloads import workloads
from tests.rehearsal.engineless import Engineless

Row = tuple[str, str, str, str]
WEAR: dict[str, Callable[[Machine], None]] = {
    "w1": nodes.settings,
    "w2": nodes.host,
    "w3": nodes.system,
    "w4": nodes.bare,
    "w5": nodes.without_plugin,
    "w7": nodes.another,
    "cp1": nodes.control_plane,
}
DRESSED: list[Row] = [
    ("error", "BackupNotAcknowledged", "", ""),
    ("error", "BarePod", "", "dressed/Pod/bare"),
    ("error", "CertificateExpired", "cp1", ""),
    ("error", "ContainerdCandidateMissing", "w4", ""),
    ("error", "CrictlMissing", "w3", ""),
    ("error", "DockerBinaryMounted", "", "dressed/Deployment/program"),
    ("error", "DockerDataMounted", "", "dressed/CronJob/data"),
    ("error", "DockerSocketMounted", "", "dressed/Deployment/socket"),
    ("error", "DockerSocketMounted", "", "dressed/StatefulSet/claims"),
    ("error", "DockerSocketMounted", "", "dressed/StatefulSet/parent"),
    ("error", "EmptyDirData", "", "dressed/Deployment/guarded"),
    ("error", "EtcdInDocker", "w2", ""),
    ("error", "FileNotUnderstood", "w1", ""),
    ("error", "FileNotUnderstood", "w1", ""),
    ("error", "FlagsFileMissing", "w4", ""),
    ("error", "FlagsFileUnreadable", "cp1", ""),
    ("error", "ForeignContainers", "w2", ""),
    ("error", "KubeletFlagElsewhere", "w1", ""),
    ("error", "KubeletNeedsDocker", "w1", ""),
    ("error", "KubeletNetworkNotCni", "w1", ""),
    ("error", "ManagedNode", "w4", "Node/w4"),
    ("error", "MissingRight", "", "shop/none"),
    ("error", "NotEnoughDisk", "cp1", ""),
    ("error", "PackagesPending", "w2", ""),
    ("error", "PdbNeverAllows", "", "PodDisruptionBudget dressed/never"),
    ("error", "PdbNeverAllows", "", "PodDisruptionBudget dressed/twice"),
    ("error", "PodInSeveralBudgets", "", "PodDisruptionBudget dressed/never"),
    ("error", "ProgramMissing", "w3", ""),
    ("error", "SnapshotSpace", "cp1", ""),
    ("error", "SudoRuleIncomplete", "w3", ""),
    ("error", "TiedToCordonedNode", "w2", "node w2"),
    ("error", "UnknownDaemonSet", "", "shop/none"),
    ("error", "UnknownFinding", "", ""),
    ("error", "UnknownNode", "", "w99"),
    ("error", "Unreachable", "w6", ""),
    ("error", "UnsupportedDistribution", "w4", ""),
    ("error", "VersionSkew", "cp1", ""),
    ("error", "WrongMachine", "w7", ""),
    ("warning", "AppArmor", "w3", ""),
    ("warning", "BatchDoesNotFit", "w1", "batch 1"),
    ("warning", "BatchDoesNotFit", "w2", "batch 2"),
    ("warning", "CertificateExpires", "cp1", ""),
    ("warning", "ClockSkew", "w3", ""),
    ("warning", "ContainerdCniFault", "w5", ""),
    ("warning", "CriDockerdActive", "cp1", ""),
    ("warning", "DiskBelowThreshold", "w3", ""),
    ("warning", "DockerConfigMounted", "", "dressed/Deployment/settings"),
    ("warning", "DockerDataRoot", "w4", ""),
    ("warning", "DockerDefaultRuntime", "w1", ""),
    ("warning", "DockerInDocker", "", "dressed/Deployment/inner"),
    ("warning", "DockerLogOptions", "cp1", ""),
    ("warning", "DockerLogOptions", "w1", ""),
    ("warning", "DockerLogOptions", "w2", ""),
    ("warning", "DockerLogOptions", "w3", ""),
    ("warning", "DockerLogsMounted", "", "dressed/DaemonSet/logs"),
    ("warning", "DockerNotActive", "w4", ""),
    ("warning", "DockerProxyNotCarried", "w1", ""),
    ("warning", "DockerSettingNotCarried", "w1", ""),
    ("warning", "DockerSocketInUse", "w2", ""),
    ("warning", "DockerSocketMounted", "", "dressed/Pod/finished"),
    ("warning", "DockerSocketNamed", "", "dressed/Deployment/word"),
    ("warning", "DuplicateKey", "w1", ""),
    ("warning", "FlagsFileLineIgnored", "cp1", ""),
    ("warning", "HostPathData", "", "dressed/Pod/bare"),
    ("warning", "HostUsesDocker", "w2", ""),
    ("warning", "HostsTomlKept", "w5", ""),
    ("warning", "InventoryMismatch", "gone", ""),
    ("warning", "KubeletFlagNotCarried", "w1", ""),
    ("warning", "KubeletFlagNotCarried", "w1", ""),
    ("warning", "KubeletNetworkNotCni", "w5", ""),
    ("warning", "LongGracePeriod", "", "dressed/Deployment/guarded"),
    ("warning", "MetadataBlackholed", "w3", ""),
    ("warning", "NodeWithoutZone", "", "topology.kubernetes.io/zone"),
    ("warning", "PackageHeld", "w2", ""),
    ("warning", "PdbAllowsNoneNow", "", "PodDisruptionBudget shop/web"),
    ("warning", "PodFinalizers", "", "dressed/Pod/bare"),
    ("warning", "RegistryCertsNotCarried", "w1", ""),
    ("warning", "RegistryNotCarried", "w1", ""),
    ("warning", "RuntimeVersionsDiffer", "", ""),
    ("warning", "SelinuxEnforcing", "w3", ""),
    ("warning", "SingleControlPlane", "cp1", "Node/cp1"),
    ("warning", "SingleReplica", "", "dressed/Deployment/guarded"),
    ("warning", "StaleMounts", "w3", ""),
    ("warning", "TwoContainerds", "w2", ""),
]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> tuple[Finding, ...]:
    clock = VirtualClock()
    world = build(
        ClusterSpec(nodes=8, control_planes=1, cordoned=("w2",), labels={"w4": {"cloud.google.com/gke-nodepool": "p"}}),
        clock,
    )
    clock.passed = world.tick
    engine = Engineless(world, tmp_path_factory.mktemp("dressed"))
    for kind, obj in workloads():
        world.store.create(kind, obj)
    clock.sleep(30)
    for name, wear in WEAR.items():
        wear(world.machines[name])
    world.machines["w6"].down_until = clock.now() + 1e6
    inventory = engine.directory / "hosts.yaml"
    inventory.write_text("all: {hosts: {w1: {}, w2: {}, w3: {}, w4: {}, w5: {}, w6: {}, w7: {}, cp1: {}, gone: {}}}\n")
    settings = engine.migration(
        drain={"timeout": 120},
        backup={"directory": str(engine.directory)},
        nodes={"exclude": ["w99"]},
        ssh={"inventory": str(inventory)},
        spread="topology.kubernetes.io/zone",
        hold_daemonsets=["shop/none"],
        ignore_preflight_errors=["Nope"],
    )
    with pytest.raises(PreflightError) as problem:
        engine.plan(settings)
    assert isinstance(problem.value.report, PlannedRun)
    return problem.value.report.findings


def test_the_whole_report_is_what_was_dressed_and_nothing_else(report: tuple[Finding, ...]) -> None:
    assert sorted((each.level, each.name, each.node, each.object) for each in report) == sorted(DRESSED)


def test_every_error_says_what_helps_and_no_secret(report: tuple[Finding, ...]) -> None:
    without = {each.name for each in report if each.level == "error" and not each.remedy}
    assert without == {"Unreachable"}, "ssh says what helps; a simulated connection does not"
    assert not any("hunter2" in f"{each.summary} {each.detail}" for each in report)


@pytest.mark.parametrize(
    ("name", "node", "word"),
    [
        ("CriDockerdActive", "cp1", "cri-dockerd"),
        ("DuplicateKey", "w1", "/etc/docker/daemon.json:5: debug"),
        ("EtcdInDocker", "w2", "etcd1"),
        ("ForeignContainers", "w2", ": ci"),
        ("HostUsesDocker", "w2", "/etc/cron.d/prune, /etc/systemd/system/app.service"),
        ("KubeletFlagElsewhere", "w1", "/etc/kubernetes/kubelet.env: MORE=--container-runtime=docker"),
        ("PackagesPending", "w2", "less"),
        ("SudoRuleIncomplete", "w3", "umount"),
        ("WrongMachine", "w7", "0" * 32),
    ],
)
def test_what_is_found_is_named(report: tuple[Finding, ...], name: str, node: str, word: str) -> None:
    (found,) = [each for each in report if (each.name, each.node) == (name, node)]
    assert word in found.summary
