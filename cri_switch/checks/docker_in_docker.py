"""Containers that bring a Docker of their own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cri_switch.checks.mounted import containers_of

_NAMED = re.compile(r"dind|docker-in-docker", re.I)
_OFFICIAL = re.compile(r"(?:[\w.:-]+/)*docker(?::(?P<tag>[\w.-]+))?(?:@.*)?")
"""From wherever it is pulled: a mirror has it under a path of its own."""
_CLIENT = re.compile(r"(?:^|-)(?:cli|git)(?:-|$)")
_DOCKERD = re.compile(r"(?:^|[\s;&|(])(?:/[\w./-]*/)?dockerd(?:-entrypoint\.sh|-rootless\.sh)?(?=[\s;&|)]|$)")


def brings_docker(spec: Mapping[str, Any]) -> bool:
    """Whether a privileged container of a pod's spec runs dockerd: by its command, also one in a shell's, or its image.

    The image `docker` runs dockerd by itself where no command says otherwise, its tags `cli` and `git` do not.
    """
    return any(
        (container.get("securityContext") or {}).get("privileged") and _runs_dockerd(container)
        for container in containers_of(spec)
    )


def _runs_dockerd(container: Mapping[str, Any]) -> bool:
    words = [str(word) for word in [*(container.get("command") or []), *(container.get("args") or [])]]
    if any(_DOCKERD.search(word) for word in words):
        return True
    image = container.get("image", "")
    official = _OFFICIAL.fullmatch(image)
    by_itself = official and not container.get("command") and not _CLIENT.search(official["tag"] or "")
    return bool(_NAMED.search(image) or by_itself)
