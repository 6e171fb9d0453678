from __future__ import annotations

from cri_switch.node.facts.packages import parse_dpkg, parse_policy

POLICY = """docker.io:
  Installed: 20.10.5+dfsg1-1+deb11u2
  Candidate: 20.10.5+dfsg1-1+deb11u4
  Version table:
     20.10.5+dfsg1-1+deb11u4 500
        500 http://a.example stable/main amd64 Packages
 *** 20.10.5+dfsg1-1+deb11u2 100
        100 /var/lib/dpkg/status
     20.10.4 -1
         -1 http://b.example old/main amd64 Packages
"""


def test_a_version_that_only_dpkg_has_is_not_offered() -> None:
    found = parse_policy(POLICY)
    assert found.offered == {"20.10.5+dfsg1-1+deb11u4", "20.10.4"}
    assert (found.installed, found.candidate) == ("20.10.5+dfsg1-1+deb11u2", "20.10.5+dfsg1-1+deb11u4")


def test_an_unknown_package_has_nothing() -> None:
    assert parse_policy("").candidate == ""
    assert parse_policy("x:\n  Installed: (none)\n  Candidate: (none)\n  Version table:\n").candidate == ""


def test_dpkg_states() -> None:
    found = parse_dpkg("docker.io\trc \t20.10.5\ncontainerd\thi \t1.4.13\nrunc\tii \t1.0\n")
    assert [found[n].installed for n in ("docker.io", "containerd", "runc")] == [False, True, True]
    assert found["containerd"].held
