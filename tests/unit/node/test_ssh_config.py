from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cri_switch.node.ssh_config import jump_command, parse_ssh_g, ssh_host

TEXT = """host node1
user ops
hostname 10.1.2.3
port 2222
identitiesonly yes
identityfile ~/.ssh/a
identityfile /keys/b
userknownhostsfile /kh/1 /kh/2
proxyjump none
"""


def test_ssh_g_as_openssh_prints_it() -> None:
    host = ssh_host(parse_ssh_g(TEXT), "node1")
    assert (host.hostname, host.port, host.user, host.proxy) == ("10.1.2.3", 2222, "ops", "")
    assert host.identity_files[1] == "/keys/b"
    assert host.identity_files[0].endswith("/.ssh/a")
    assert not host.identity_files[0].startswith("~")
    assert host.known_hosts == ("/kh/1", "/kh/2")
    assert host.identities_only


@pytest.mark.parametrize(
    ("jump", "command"),
    [
        ("gate", "ssh -o BatchMode=yes -F /c -W [10.0.0.1]:22 gate"),
        ("me@gate:2200", "ssh -o BatchMode=yes -F /c -p 2200 -W [10.0.0.1]:22 me@gate"),
        ("a,b,c", "ssh -o BatchMode=yes -F /c -J a,b -W [10.0.0.1]:22 c"),
    ],
)
def test_jumps(jump: str, command: str) -> None:
    assert jump_command(jump, "10.0.0.1", 22, "/c") == command


def test_proxy_command_tokens() -> None:
    host = ssh_host({"proxycommand": ["nc -x p %h %p"], "hostname": ["h"], "port": ["7"]}, "n")
    assert host.proxy == "nc -x p h 7"


@given(st.text())
def test_any_text_is_parsed(text: str) -> None:
    assert all(key and values for key, values in parse_ssh_g(text).items())
