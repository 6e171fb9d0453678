from __future__ import annotations

from cri_switch.checks.versions import check_versions


def test_the_same_minor_version_is_silent() -> None:
    assert check_versions({"w1": ("1.4.13~ds1", ""), "w2": ("1.4.5", "http://a stable/main"), "w3": ("", "")}) == []


def test_different_versions_are_told_with_their_source() -> None:
    (finding,) = check_versions({"w1": ("1.4.13~ds1", ""), "w2": ("1.6.20", "http://a stable/main")})
    assert (finding.level, finding.name) == ("warning", "RuntimeVersionsDiffer")
    assert "1.4 on w1, 1.6 on w2" in finding.summary
    assert finding.detail == "w1: containerd 1.4.13~ds1 installed\nw2: containerd 1.6.20 from http://a stable/main"
