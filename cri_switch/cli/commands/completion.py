"""`cri-switch completion SHELL`."""

from __future__ import annotations

import sys
from typing import Literal


def completion(shell: Literal["bash", "zsh", "fish"], /) -> None:
    """Print the completion script, made of the commands as they are now."""
    from cri_switch.cli.main import app  # noqa: PLC0415 (main knows this command)

    sys.stdout.write(app.generate_completion(shell=shell))
