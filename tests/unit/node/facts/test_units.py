from __future__ import annotations

from cri_switch.node.facts.units import units
from cri_switch.node.fake import ScriptedConnection

TEXT = """MainPID=0
NRestarts=0
ExecMainStatus=0
Id=docker.service
LoadState=masked
ActiveState=inactive
SubState=dead
UnitFileState=masked

MainPID=812
ExecMainStartTimestamp=Mon 2026-11-23 10:00:00 UTC
Id=containerd.service
LoadState=loaded
ActiveState=active
SubState=running
UnitFileState=enabled
FragmentPath=/lib/systemd/system/containerd.service

Id=crio.service
LoadState=not-found
ActiveState=inactive
SubState=dead
"""


def test_several_units_in_one_command() -> None:
    node = ScriptedConnection("n", {"systemctl show": TEXT})
    found = units("docker", "containerd.service", "crio").read(node)
    assert len(node.ran) == 1
    assert node.lines[0].endswith("-- docker.service containerd.service crio.service")
    docker, containerd, crio = found["docker"], found["containerd.service"], found["crio"]
    assert (docker.masked, docker.active, docker.exists, docker.enabled) == (True, False, True, False)
    assert (containerd.active, containerd.enabled, containerd.main_pid) == (True, True, 812)
    assert not crio.exists
