from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cri_switch.render.crictl_yaml import crictl_yaml

ENDPOINT = "unix:///run/containerd/containerd.sock"
BOTH = f"runtime-endpoint: {ENDPOINT}\nimage-endpoint: {ENDPOINT}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, BOTH),
        ("", BOTH),
        (BOTH, BOTH),
        ("# c\ntimeout: 10", f"# c\ntimeout: 10\n{BOTH}"),
        (
            "image-endpoint: ''\n# c\nruntime-endpoint: unix:///var/run/dockershim.sock\ndebug: false",
            f"image-endpoint: {ENDPOINT}\n# c\nruntime-endpoint: {ENDPOINT}\ndebug: false",
        ),
        (f'"runtime-endpoint": x\n{BOTH}', BOTH),
        (f"#runtime-endpoint: x\n{BOTH}", f"#runtime-endpoint: x\n{BOTH}"),
    ],
)
def test_endpoints_are_set_and_the_rest_stays(text: str | None, expected: str) -> None:
    assert crictl_yaml(text, ENDPOINT) == expected


@given(
    st.lists(
        st.sampled_from(
            ["# c", "timeout: 10", "runtime-endpoint: x", "image-endpoint:", "'image-endpoint': y", "debug: true"]
        ),
        max_size=6,
    ),
    st.sampled_from(["", "\n"]),
)
def test_twice_is_once(lines: list[str], end: str) -> None:
    once = crictl_yaml("\n".join(lines) + end, ENDPOINT)
    assert crictl_yaml(once, ENDPOINT) == once
    data = yaml.safe_load(once)
    assert data["runtime-endpoint"] == data["image-endpoint"] == ENDPOINT
    assert once.count("runtime-endpoint") == 1
    others = [line for line in ("\n".join(lines) + end).splitlines() if "endpoint" not in line]
    assert [line for line in once.splitlines() if "endpoint" not in line] == others
