"""Which registries containerd must reach otherwise than by default, as Docker did."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cri_switch.model.secrets import masked_host
from cri_switch.render.docker_daemon import DockerSettings

DOCKER_HUB = "docker.io"
UPSTREAM = "https://registry-1.docker.io"
_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_URL = re.compile(rf"https?://{_HOST.pattern}")


@dataclass(frozen=True)
class Registries:
    """Mirrors of docker.io as URLs in the order they are asked, and hosts (`host[:port]`) without a valid certificate.

    `inexpressible` is what containerd has no words for, as daemon.json spells it, its credentials masked: networks in
    CIDR form and the like.
    """

    mirrors: tuple[str, ...] = ()
    insecure: tuple[str, ...] = ()
    inexpressible: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.mirrors or self.insecure)

    def skips_verify(self, url: str) -> bool:
        """Whether the host of a URL is one of the insecure ones."""
        return url.partition("://")[2] in self.insecure


def registries_of(docker: DockerSettings) -> Registries:
    """What daemon.json's registry-mirrors and insecure-registries mean; repeats are given once."""
    mirrors: list[str] = []
    insecure: list[str] = []
    inexpressible: list[str] = []
    for mirror in docker.registry_mirrors:
        url = mirror.strip().rstrip("/")
        good = _URL.fullmatch(url)
        (mirrors if good else inexpressible).append(url if good else masked_host(mirror))
    for entry in docker.insecure_registries:
        host = re.sub(r"^https?://", "", entry.strip()).rstrip("/")
        good = _HOST.fullmatch(host) if host != DOCKER_HUB else None
        (insecure if good else inexpressible).append(host if good else masked_host(entry))
    return Registries(_once(mirrors), _once(insecure), _once(inexpressible))


def _once(values: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))
