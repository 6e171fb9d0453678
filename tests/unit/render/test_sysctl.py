from __future__ import annotations

from cri_switch.render.sysctl import modules_conf, sysctl_conf


def test_sysctl_conf() -> None:
    lines = sysctl_conf().splitlines()
    assert lines[0].startswith("# Written by cri-switch")
    assert lines[1:] == [
        "net.ipv4.ip_forward = 1",
        "net.bridge.bridge-nf-call-iptables = 1",
        "net.bridge.bridge-nf-call-ip6tables = 1",
    ]


def test_modules_conf() -> None:
    lines = modules_conf().splitlines()
    assert lines[0].startswith("# Written by cri-switch")
    assert lines[1:] == ["overlay", "br_netfilter"]
