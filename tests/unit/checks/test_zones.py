"""Nodes without the label that `spread` names."""

from __future__ import annotations

from cri_switch.checks.zones import check_zones


def test_nodes_without_a_zone_are_counted_and_named() -> None:
    (found,) = check_zones("zone", {"w1": "a", "w2": "", "w0": ""})
    assert (found.level, found.name, found.object) == ("warning", "NodeWithoutZone", "zone")
    assert found.summary == "2 nodes have no label zone and are taken for one zone: w0, w2"
    (many,) = check_zones("zone", {f"w{number:02}": "" for number in range(13)})
    assert many.summary.endswith("w09 and 3 more")


def test_silent_where_all_have_one() -> None:
    assert check_zones("zone", {"w1": "a", "w2": "b"}) == []
    assert check_zones(None, {}) == []
