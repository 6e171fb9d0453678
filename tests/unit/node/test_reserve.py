"""The room for the way back is taken once, and given back once."""

from __future__ import annotations

import pytest

from cri_switch.model.errors import RemoteCommandFailed
from cri_switch.node.action import Action, perform
from cri_switch.node.command import Result
from cri_switch.node.fake import ScriptedConnection
from cri_switch.node.reserve import keep_reserve, release_reserve

PATH = "/var/lib/cri-switch/m/reserve"


def _keep() -> Action:
    yield from keep_reserve("m")
    return ""


def test_a_disk_without_that_room_is_a_reason_not_to_begin() -> None:
    full = Result(1, "", f"dd: error writing '{PATH}': No space left on device")
    with pytest.raises(RemoteCommandFailed, match="No space left"):
        perform(ScriptedConnection("n", {"install ": "", "dd ": full}), _keep())


def test_it_is_written_in_full_a_sparse_file_would_keep_no_room() -> None:
    node = ScriptedConnection("n", {"install ": "", "dd ": ""})
    perform(node, _keep())
    made = f"install -m 0600 -- /dev/null {PATH}"
    assert node.lines == [made, f"dd if=/dev/zero of={PATH} bs=1M count=32 conv=fsync status=none"]


def test_what_is_not_there_is_not_given_back() -> None:
    node = ScriptedConnection("n", {"stat": f"{PATH}\n", "rm": ""})
    assert perform(node, release_reserve("m")).changed == 1
    assert node.lines[-1] == f"rm -f -- {PATH}"
    gone = ScriptedConnection("n", {"stat": Result(1, "", "No such file or directory")})
    assert perform(gone, release_reserve("m")).changed == 0
