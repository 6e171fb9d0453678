from __future__ import annotations

from cri_switch.checks.ignored import check_ignored


def test_names_that_no_finding_has() -> None:
    assert check_ignored(["barepod", "ALL", " LiveRestore "]) == []
    found = check_ignored(["DockerSockMounted", "xyz"])
    assert {(each.level, each.name) for each in found} == {("error", "UnknownFinding")}
    assert "near it: DockerSocketMounted" in found[0].summary
    assert found[1].summary.endswith("no finding is called xyz")
