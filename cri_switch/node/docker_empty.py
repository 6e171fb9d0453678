"""The proof that Docker runs nothing: no pod may ever run twice."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from cri_switch.node.action import Part, Until, read
from cri_switch.node.facts.ctr import containerd_tasks
from cri_switch.node.facts.docker import DOCKER_IDS, DOCKER_SHIMS
from cri_switch.node.facts.programs import has_program

_NEXT = "on the node: sudo docker ps -a; sudo ctr -n moby tasks ls"


def docker_is_empty(*, dockerd: bool, seconds: float = 10) -> Generator[Part, Any, None]:
    """Until no container, no shim and no task of Docker's is left; `dockerd` says whether it is up to be asked.

    The shims are asked for always: they tell also of a Docker with a containerd of its own, and where ctr is missing.
    Raises (by Until): RemoteTimeout.
    """
    if dockerd:
        yield Until(DOCKER_IDS, lambda ids: not ids, "Docker has no containers", seconds, next_step=_NEXT)
    yield Until(DOCKER_SHIMS, lambda shims: not shims, "no shim of Docker's runs", seconds, next_step=_NEXT)
    if (yield from read(has_program("ctr"))):
        tasks = containerd_tasks("moby")
        yield Until(tasks, lambda left: not left, "no task of Docker's runs", seconds, next_step=_NEXT)
