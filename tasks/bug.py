"""An error that nobody expected, told as one of ours."""

from __future__ import annotations

from cri_switch.model.errors import CriSwitchError

_NEXT = "this is a bug of cri-switch: report it with the run's log; run the same command again"
_ENGINE = frozenset({"prefect", "httpx", "httpcore", "anyio"})


def as_bug(problem: Exception) -> CriSwitchError | None:
    """The error to go on with; None for one of the engine's own (its server is away), which leaves all as a kill does.

    One of ours is answered as it is.
    """
    if isinstance(problem, CriSwitchError):
        return problem
    if type(problem).__module__.partition(".")[0] in _ENGINE:
        return None
    told = CriSwitchError(f"{type(problem).__name__}: {problem}", next_step=_NEXT)
    told.__cause__ = problem
    return told
