"""A container that was made and could not be started: what is left of it, and when its kubelet tries again.

Seen on a node with containerd 1.4.13 and kubelet 1.20.2, with dangling links in the place of the logs of the first
attempts: StartContainer fails, the container stays as CONTAINER_EXITED with exit code 128. The next attempt comes a
second later and has a log of its own, so that one dangling 0.log costs one restart (restartCount 1, lastState
StartError of 1970). A further one waited for a back-off of 10 s, then 20 s, and a few seconds more, until the kubelet
looked at the pod. One dead container is kept. With all containers and the sandbox gone, attempts begin at 0 again.
"""

from __future__ import annotations

from cri_switch.rehearsal.box import Box
from cri_switch.rehearsal.pod import Pod
from cri_switch.rehearsal.pod_status import Waiting

EXIT_CODE = 128
_AT_ONCE, _LOOKS_EVERY, _LONGEST = 1.0, 5.0, 300


def seconds_until_next(attempt: int) -> float:
    """From the failure of this attempt until the kubelet makes the next one."""
    return _back_off(attempt) + _LOOKS_EVERY if attempt else _AT_ONCE


def waits(pod: Pod, box: Box) -> Waiting:
    """What the kubelet tells between two attempts."""
    back_off = f"back-off {_back_off(box.attempt)}s restarting failed container={box.name}"
    return Waiting("CrashLoopBackOff", f"{back_off} pod={pod.name}_{pod.namespace}({pod.uid})")


def _back_off(attempt: int) -> int:
    return int(min(10 * 2 ** (attempt - 1), _LONGEST))
