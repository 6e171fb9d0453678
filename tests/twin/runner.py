"""`cri-switch` with every command to the nodes taken down.

`python -m tests.twin.runner TAPE NAME [NODE:STEP] -- migrate -f FILE --yes`: NODE:STEP fails once, when that step of
that node is done.

The product has no hook for it: the connection's methods are replaced in this process.
"""

from __future__ import annotations

import sys
from pathlib import Path

from cri_switch.cli.engine import prepare

prepare()

from cri_switch.cli.main import run  # noqa: E402
from cri_switch.node.ssh import SshConnection  # noqa: E402
from tests.twin.tape import Tape  # noqa: E402


def main() -> int:
    """The command's exit code."""
    cut = sys.argv.index("--")
    path, name, *fault = sys.argv[1:cut]
    node, _colon, step = fault[0].partition(":") if fault else ("", "", "")
    tape = Tape(run=name, fault=(node, step) if fault else None)
    try:
        with tape.listening(SshConnection):
            return run(sys.argv[cut + 1 :])
    finally:
        tape.save(Path(path))


if __name__ == "__main__":
    sys.exit(main())
