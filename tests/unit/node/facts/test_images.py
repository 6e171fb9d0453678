from __future__ import annotations

import pytest

from cri_switch.node.facts.images import canonical, docker_images
from cri_switch.node.fake import ScriptedConnection


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("busybox", "docker.io/library/busybox:latest"),
        ("busybox:1.0", "docker.io/library/busybox:1.0"),
        ("me/app", "docker.io/me/app:latest"),
        ("k8s.gcr.io/pause:3.2", "k8s.gcr.io/pause:3.2"),
        ("registry:5000/app", "registry:5000/app:latest"),
        ("localhost/app:x", "localhost/app:x"),
        ("index.docker.io/library/a:1", "docker.io/library/a:1"),
        ("a@sha256:00", "docker.io/library/a@sha256:00"),
    ],
)
def test_names_as_containerd_has_them(reference: str, name: str) -> None:
    assert canonical(reference) == name


def test_images_without_a_tag() -> None:
    one = '{"id":"sha256:1","tags":["a:1","<none>:<none>"],"digests":[],"size":5}\n'
    lines = one + '{"id":"sha256:2","tags":null,"digests":["a@sha256:9"],"size":7}\n'
    first, two = docker_images(("1", "2")).read(ScriptedConnection("n", {"docker inspect": lines}))
    assert (first.tags, two.tags, two.digests) == (("a:1",), (), ("a@sha256:9",))
