"""Every finding is met in a whole report: on the lab, else on simulated nodes, else there is a reason why not."""

from __future__ import annotations

from cri_switch.checks.catalogue import NAMES
from tests.e2e.dress.rows import AT_ODDS, BARE, DRESSED
from tests.rehearsal.test_dressed import DRESSED as REHEARSED

LAB = {name for rows in (BARE, DRESSED, AT_ODDS) for _level, name, _node, _object in rows}
REHEARSAL_ONLY = {
    "AppArmor": "the machines have the host's kernel, and its /sys: no AppArmor there",
    "DockerDataRoot": "dockerd would have to be started with another data root",
    "DockerNotActive": "Docker would have to be stopped",
    "SelinuxEnforcing": "the machines have the host's kernel, and its /sys: no SELinux there",
}
NOT_IN_A_REPORT = {
    "CgroupDriversDiffer": "no preflight says it: the edit does, in a plan of a copy and in a run"
    " (unit/cli/test_offline_odd.py)",
    "ContainerdConfigNotTaken": "as CgroupDriversDiffer (unit/cli/test_offline_odd.py)",
    "EtcdAlarm": "an alarm stops the API's writes (unit/checks/test_control_plane.py)",
    "EtcdQuorum": "a second member of etcd takes the lab's cluster its quorum when it fails"
    " (unit/checks/test_control_plane.py)",
    "EtcdUnhealthy": "as EtcdQuorum (unit/tasks/test_preflight.py)",
    "FileChanged": "no preflight says it: reading a file for a plan of a copy does (unit/cli/test_offline_odd.py)",
    "KubeletConfigMissing": "no preflight says it: a plan of a copy of a node's files does"
    " (unit/cli/test_offline_odd.py)",
    "NotProven": "each fact that a preflight reads has a name of its own for what is amiss"
    " (unit/node/facts/test_kubelet.py)",
    "OrchestratorInCluster": "the tests' process would have to be a pod (unit/checks/test_orchestrator.py)",
    "RemoteTimeout": "a command has thirty seconds, which would be waited for (unit/tasks/test_preflight.py)",
}


def test_every_finding_is_shown_on_the_lab_or_it_is_known_why_not() -> None:
    """A new finding stands in none of the three until somebody has decided."""
    assert sorted(NAMES - LAB) == sorted([*REHEARSAL_ONLY, *NOT_IN_A_REPORT])


def test_what_only_the_rehearsal_shows_is_shown_there() -> None:
    rehearsed = {name for _level, name, _node, _object in REHEARSED}
    assert sorted(rehearsed - LAB) == sorted(REHEARSAL_ONLY)


def test_every_row_is_of_a_finding_that_exists() -> None:
    assert sorted({*LAB, *REHEARSAL_ONLY, *NOT_IN_A_REPORT} - NAMES) == []
