from __future__ import annotations

import pytest

from cri_switch.render.pause_image import default_pause_image


@pytest.mark.parametrize(
    ("version", "image"),
    [
        ("v1.18.0", "k8s.gcr.io/pause:3.2"),
        ("v1.20.2", "k8s.gcr.io/pause:3.2"),
        ("v1.21.14", "k8s.gcr.io/pause:3.4.1"),
        ("v1.23.1", "k8s.gcr.io/pause:3.6"),
        ("v1.24.0", "k8s.gcr.io/pause:3.7"),
        ("v1.25.0", "registry.k8s.io/pause:3.8"),
        ("v1.30.0", "registry.k8s.io/pause:3.9"),
        ("v1.31.0", "registry.k8s.io/pause:3.10"),
    ],
)
def test_kubeadms_default(version: str, image: str) -> None:
    assert default_pause_image(version) == image
