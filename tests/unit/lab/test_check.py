"""What `up` proves, as far as it is text."""

from __future__ import annotations

import pytest

from tests.lab import check

_UID = "0a1b2c3d-1111-2222-3333-444455556666"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        (f"pod{_UID}", True),
        (f"kubepods-besteffort-pod{_UID.replace('-', '_')}.slice", True),
        ("pod3456cf17d1057cfffaa60b9ccb6eaf2d", False),
        ("kubepods-burstable-pod3456cf17d1057cfffaa60b9ccb6eaf2d.slice", False),
    ],
)
def test_static_pods_of_equal_manifests_are_no_trespassers(name: str, found: bool) -> None:
    assert (check.api_pods(f"{name}\n") == {name}) is found
