"""What a renderer cannot read or cannot change safely."""

from __future__ import annotations

from cri_switch.model.errors import CriSwitchError
from cri_switch.model.secrets import masked_words


class RenderError(CriSwitchError):
    """A file's text is not as it must be: `path` and `line` (from 1; 0 where no one line is to blame) say where.

    It is raised before anything is written, so nothing was touched.
    """

    exit_code = 3
    usual_state = "the file was left as it is"
    usual_next = "correct the file and run the same command again"

    def __init__(self, path: str, line: int, message: str, *, next_step: str = "") -> None:
        where = f"{path}:{line}" if line else path
        super().__init__(f"{where}: {message}", next_step=next_step)
        self.args = (path, line, masked_words(message))  # what pickle calls it with again
        self.path = path
        self.line = line
