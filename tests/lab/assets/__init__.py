"""What the lab is made of: binaries, root directories, images and a package repository, each built once."""

from __future__ import annotations

from tests.lab.assets.build import build_all
from tests.lab.assets.cache import cache_root, entry
from tests.lab.assets.host import host_packages
from tests.lab.assets.images import images
from tests.lab.assets.kubernetes import kubernetes
from tests.lab.assets.registry import registry_storage
from tests.lab.assets.repository import KEYRING, SUITES, apt_repository
from tests.lab.assets.roots import node_root, server_root

__all__ = [
    "KEYRING",
    "SUITES",
    "apt_repository",
    "build_all",
    "cache_root",
    "entry",
    "host_packages",
    "images",
    "kubernetes",
    "node_root",
    "registry_storage",
    "server_root",
]
