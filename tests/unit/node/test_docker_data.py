"""What stands between Docker's data and `rm -rf`."""

from __future__ import annotations

import json

import pytest

from cri_switch.node.docker_data import _parse_flags, _path_refusals, foreign_containers

ROOT = "/var/lib/docker"
OWN = [f"{ROOT}/{name}" for name in ("containers", "image", "overlay2", "volumes")]


@pytest.mark.parametrize(
    ("root", "real", "mounts", "entries", "said"),
    [
        (ROOT, ROOT, "/dev/sda1 / ext4 rw 0 0\n", OWN, ""),
        ("/data/docker", "/data/docker", "", ["/data/docker/overlay2"], ""),
        ("/", "/", "", [], "is no directory that is deleted unasked"),
        ("/data", "/data", "", [], "is no directory that is deleted unasked"),
        ("/var/lib", "/var/lib", "", [], "is no directory that is deleted unasked"),
        ("/var/lib/../docker", "/var/docker", "", [], "is no directory that is deleted unasked"),
        ("/var/lib/docker x", "/var/lib/docker x", "", [], "is no directory that is deleted unasked"),
        ("/var/lib/containerd", "/var/lib/containerd", "", [], "is no directory that is deleted unasked"),
        (ROOT, "/data/docker", "", OWN, "by a symbolic link"),
        (ROOT, ROOT, f"/dev/sdb1 {ROOT} xfs rw 0 0\n", OWN, "is a mount point"),
        (ROOT, ROOT, f"overlay {ROOT}/overlay2/x/merged overlay rw 0 0\n", OWN, "1 mounts lie below it"),
        (ROOT, ROOT, f"/dev/sdb1 {ROOT}2 xfs rw 0 0\n", OWN, ""),
        (ROOT, ROOT, "", [*OWN, f"{ROOT}/invoices"], "what dockerd does not make: invoices"),
    ],
)
def test_paths(root: str, real: str, mounts: str, entries: list[str], said: str) -> None:
    found = "".join(_path_refusals(root, real, mounts, entries))
    assert (said in found) if said else not found


def test_containers_that_are_not_kubernetes() -> None:
    pod = json.dumps({"Name": "/k8s_POD_x", "Config": {"Labels": {"io.kubernetes.pod.uid": "u"}}})
    mine = json.dumps({"Name": "/ci-runner", "Config": {"Labels": None}})
    assert foreign_containers({"/a": pod, "/b": mine, "/c": "{torn"}) == ["ci-runner", "/c (not understood)"]


@pytest.mark.parametrize(
    ("text", "roots"),
    [
        ('DOCKER_OPTS="--data-root=/data/docker"', ["/data/docker"]),
        ("ExecStart=/usr/bin/dockerd --data-root /srv/docker -H fd://", ["/srv/docker"]),
        ("ExecStart=/usr/bin/dockerd -g /srv/d", ["/srv/d"]),
        ("#ExecStart=/usr/bin/dockerd -g /srv/d", []),
        ("ExecStart=/usr/bin/dockerd --log-level debug", []),
    ],
)
def test_flags(text: str, roots: list[str]) -> None:
    assert _parse_flags(text) == roots
