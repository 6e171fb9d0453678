"""What can go wrong, each with an exit code and the next command to type."""

from __future__ import annotations

from typing import Any, Self

from cri_switch.model.secrets import masked_words


class CriSwitchError(Exception):
    """Root of all expected errors: what failed, the state now, what to type next.

    `exit_code` is the process's exit code; `transient` says that the same call may go through later. What failed may
    quote a file of a node: secrets in it are masked here.
    """

    exit_code = 1
    transient = False
    usual_state = ""
    """The state where the error itself says none: true of every error of its class."""
    usual_next = "run the same command again: it looks before it changes anything"

    def __init__(self, what: str, *, state: str = "", next_step: str = "") -> None:
        super().__init__(masked_words(what))
        self.what = masked_words(what)
        self.state = state
        self.next_step = next_step
        self.report: Any = None
        """The run's report, where one was made before the run failed."""
        self.rolled_back = False
        """Whether the node on which it happened is back on Docker."""
        self.followed: tuple[str, ...] = ()
        """The last lines that a control-plane node said before a deadline passed."""

    def completed(self, state: str, next_step: str = "") -> Self:
        """The same error; what it leaves out of state and next step is its class's, or else as given."""
        self.state = self.state or self.usual_state or state
        self.next_step = self.next_step or next_step or self.usual_next
        return self

    def __str__(self) -> str:
        lines = [self.what]
        if self.state:
            lines.append(f"state: {self.state}")
        if self.next_step:
            lines.append(f"next: {self.next_step}")
        return "\n".join(lines)


class SettingsError(CriSwitchError):
    """The settings file or a flag is not right; nothing was touched."""

    exit_code = 3
    usual_state = "nothing was touched"
    usual_next = "correct the setting and run the same command again"


class UsageError(CriSwitchError):
    """The command line is not right; nothing was touched."""

    exit_code = 2
    usual_state = "nothing was touched"
    usual_next = "cri-switch --help"


class PreflightError(CriSwitchError):
    """A check found a reason not to start; nothing was touched."""

    exit_code = 3
    usual_state = "nothing was touched"
    usual_next = "mend what is named and run the same command again"


class Unreachable(CriSwitchError):
    """A node or the API does not answer, or does not let us in."""

    exit_code = 4
    transient = True


class HostKeyRefused(Unreachable):
    """The node shows another host key than known_hosts, or none is known."""

    transient = False


class LoginRefused(Unreachable):
    """The node does not accept the user's key."""

    transient = False


class SudoRefused(CriSwitchError):
    """The node asks for a password, or the sudo rule does not allow a command."""

    exit_code = 4


class RemoteCommandFailed(CriSwitchError):
    """A command on a node ended with an exit code that was not expected."""

    def __init__(self, what: str, *, rc: int, stderr: str, state: str = "", next_step: str = "") -> None:
        super().__init__(what, state=state, next_step=next_step)
        self.rc = rc
        self.stderr = stderr


class RemoteTimeout(CriSwitchError):
    """A command on a node, or a state waited for, did not end within its deadline."""

    exit_code = 6


class FileChanged(CriSwitchError):
    """A remote file is not the one that was read: somebody else changed it meanwhile."""


class NotProven(CriSwitchError):
    """A state that must hold before the next step does not hold; `finding` is the finding that tells it beforehand."""

    exit_code = 6

    def __init__(self, what: str, *, state: str = "", next_step: str = "", finding: str = "NotProven") -> None:
        super().__init__(what, state=state, next_step=next_step)
        self.finding = finding


class DiskFull(NotProven):
    """A node's disk is full; often that is over soon."""

    transient = True


class ControlPlaneNotWell(NotProven):
    """Another control-plane node is not well, or etcd would lose its quorum: this one must not go out now."""


class ApiError(CriSwitchError):
    """The Kubernetes API refused a call.

    `status` is the HTTP status (0: none), `reason` and `causes` are those of the Status object that came with it.
    """

    exit_code = 4

    def __init__(
        self,
        what: str,
        *,
        status: int = 0,
        reason: str = "",
        causes: tuple[str, ...] = (),
        state: str = "",
        next_step: str = "",
    ) -> None:
        super().__init__(what, state=state, next_step=next_step)
        self.status = status
        self.reason = reason
        self.causes = causes


class DrainBlocked(CriSwitchError):
    """A node could not be drained: a filter refused, or evictions did not end in time."""

    exit_code = 5


class BackupFailed(CriSwitchError):
    """The backup is not whole; the run stops before anything is touched."""

    exit_code = 6
    usual_state = "nothing was touched"


class NodeFailed(CriSwitchError):
    """One or more nodes did not reach the target runtime."""

    exit_code = 7


class RollbackFailed(NodeFailed):
    """A node failed, and so did its way back to Docker: no further node is started."""


class Moved(CriSwitchError):
    """The cluster's nodes are not those of the plan any more."""

    exit_code = 6


class LockHeld(CriSwitchError):
    """Another run holds the cluster's Lease, or this one lost it."""

    exit_code = 8


class WindowClosed(CriSwitchError):
    """The maintenance window does not allow another node; what was begun is finished."""

    exit_code = 9


class GateClosed(CriSwitchError):
    """Something in the cluster holds the next nodes back, longer than the settings allow."""

    exit_code = 6


class NotApproved(CriSwitchError):
    """A person has not said yes; nothing further is started."""

    exit_code = 10


class Stopped(CriSwitchError):
    """The run was asked to stop; the step that was waiting is left for the next run."""

    exit_code = 130
