from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cri_switch.node.facts.machine import CLOCK, parse_os_release
from cri_switch.node.fake import ScriptedConnection


def test_os_release() -> None:
    text = 'PRETTY_NAME="Debian GNU/Linux 11 (bullseye)"\nVERSION_ID="11"\nID=debian\n# no\nBROKEN="\n'
    found = parse_os_release(text)
    assert (found.id, found.version, found.debian_family) == ("debian", "11", True)
    assert parse_os_release("ID=ubuntu\nID_LIKE=debian").debian_family
    assert not parse_os_release("ID=fedora").debian_family


@given(st.text())
def test_any_os_release_is_parsed(text: str) -> None:
    assert parse_os_release(text).id is not None


def test_clock() -> None:
    assert CLOCK.read(ScriptedConnection("n", {"date": "1795454346.5\n"})) == 1795454346.5
