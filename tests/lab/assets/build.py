"""Building everything that a lab needs, ahead of time."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.lab.assets.base import base
from tests.lab.assets.cache import forget_unused, sweep
from tests.lab.assets.host import host_packages
from tests.lab.assets.kubernetes import kubernetes
from tests.lab.assets.registry import registry_storage
from tests.lab.assets.repository import apt_repository
from tests.lab.assets.roots import node_root, server_root


def build_all(debian: int = 11) -> None:
    """Build what is missing, one line per part on stderr.

    Kubernetes takes minutes of both cores; what waits for the disk and the network is built beside it.
    """
    sweep()
    _timed("host packages", host_packages)
    with ThreadPoolExecutor(2) as pool:
        roots = pool.submit(_timed, "base", base, debian)
        server = pool.submit(_timed, "server", server_root, debian)
        _timed("kubernetes", kubernetes)
        roots.result()
        server.result()
        beside = pool.submit(_timed, "images and registry", registry_storage)
        _timed("package repository", apt_repository, debian)
        for docker in ("docker.io", "docker-engine"):
            _timed(f"node with {docker}", node_root, debian, docker)
        beside.result()
    for name in forget_unused():
        print(f"lab assets: {name}: not used for a week, removed", file=sys.stderr, flush=True)


def _timed(part: str, build: Callable[..., Path | None], *arguments: object) -> None:
    started = time.monotonic()
    path = build(*arguments)
    seconds = time.monotonic() - started
    print(f"lab assets: {part}: {seconds:.1f} s {path or ''}".rstrip(), file=sys.stderr, flush=True)
