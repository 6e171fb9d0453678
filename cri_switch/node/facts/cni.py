"""Network attachments and addresses of pods, as libcni and host-local keep them on the node."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass

from cri_switch.model.errors import NotProven
from cri_switch.node.command import Result, sudo
from cri_switch.node.fact import Fact
from cri_switch.render.cni_cache import Attachment, parse_attachment

DOCKERSHIM_CACHE = "/var/lib/cni/cache"
"""Where dockershim's libcni writes (the kubelet's --cni-cache-dir); containerd's own writes to /var/lib/cni."""

HOST_LOCAL = "/var/lib/cni/networks"


@dataclass(frozen=True)
class Reservation:
    """One address that host-local holds: the file is named by the address and names the sandbox."""

    path: str
    network: str
    address: str
    container_id: str


def _files(result: Result, directory: str) -> Iterator[tuple[str, str]]:
    """path -> first line, of `grep -r -H -m 1 . DIR`; a directory that is not there has no files."""
    missing = "No such file or directory" in result.stderr
    if result.rc > 1 and not missing:
        raise NotProven(
            f"{directory} cannot be read: {result.stderr.strip()}", next_step=f"on the node: sudo ls -lR {directory}"
        )
    for line in result.stdout.splitlines():
        path, colon, text = line.partition(":")
        if colon:
            yield path, text.rstrip("\r")


def _grep(directory: str) -> tuple[str, ...]:
    return ("grep", "-r", "-H", "-m", "1", ".", "--", directory)


def attachments(cache: str = DOCKERSHIM_CACHE) -> Fact[tuple[Attachment, ...]]:
    """Every attachment in a libcni cache, loopbacks too.

    Raises:
        NotProven: a file of it cannot be understood.
    """
    directory = posixpath.join(cache, "results")

    def parse(result: Result) -> tuple[Attachment, ...]:
        try:
            return tuple(parse_attachment(path, text) for path, text in _files(result, directory))
        except ValueError as problem:
            raise NotProven(
                str(problem), next_step="look at that file on the node; move it away when no pod uses it"
            ) from problem

    return Fact(f"attachments in {directory}", sudo(*_grep(directory), ok=(0, 1, 2)), parse)


def _reservations(result: Result) -> tuple[Reservation, ...]:
    found = []
    for path, text in _files(result, HOST_LOCAL):
        address = posixpath.basename(path)
        if address.startswith("last_reserved_ip") or address == "lock":
            continue
        found.append(Reservation(path, posixpath.basename(posixpath.dirname(path)), address, text.strip()))
    return tuple(sorted(found, key=lambda one: one.path))


RESERVATIONS: Fact[tuple[Reservation, ...]] = Fact(
    "addresses held by host-local", sudo(*_grep(HOST_LOCAL), ok=(0, 1, 2)), _reservations
)
"""Empty where another IPAM is in use."""
