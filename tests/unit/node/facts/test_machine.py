from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cri_switch.node.facts.machine import CLOCK, parse_os_release
from cri_switch.node.fake import ScriptedConnection


def test_os_release() -> None:
    text = 'PRETTY_NAME="Debian GNU/Linux 11 (bullseye)"\nVERSION_ID="11"\nID=debian\n# no\nBROKEN="\n'
    found = parse_os_release(text)
    assert (found.id, found.version, found.id_like) == ("debian", "11", ())
    assert parse_os_release('ID=neon\nID_LIKE="ubuntu debian"').id_like == ("ubuntu", "debian")


@given(st.text())
def test_any_os_release_is_parsed(text: str) -> None:
    assert parse_os_release(text).id is not None


def test_clock() -> None:
    assert CLOCK.read(ScriptedConnection("n", {"date": "1795454346.5\n"})) == 1795454346.5
