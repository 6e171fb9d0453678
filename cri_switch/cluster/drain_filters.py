"""Which pods a drain takes, ignores or refuses: kubectl's filters, in kubectl's order, with kubectl's words.

Source: kubectl pkg/drain/filters.go. Only the last filter's message of a pod is kept, as there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from cri_switch.cluster import pods
from cri_switch.cluster.client import Obj
from cri_switch.model.migration import Drain

DAEMON_SET_FATAL = "DaemonSet-managed Pods (use --ignore-daemonsets to ignore)"
DAEMON_SET_WARNING = "ignoring DaemonSet-managed Pods"
LOCAL_STORAGE_FATAL = "Pods with local storage (use --delete-emptydir-data to override)"
LOCAL_STORAGE_WARNING = "deleting Pods with local storage"
UNMANAGED_FATAL = "cannot delete Pods that declare no controller (use --force to override)"
UNMANAGED_WARNING = "deleting Pods that declare no controller"

Reason = Literal["Okay", "Skip", "Warning", "Error"]
DaemonSetLookup = Callable[[str, str], bool]
"""Whether the DaemonSet of that namespace and name exists."""


@dataclass(frozen=True)
class Status:
    """What becomes of a pod."""

    delete: bool
    reason: Reason
    message: str = ""


OKAY, SKIP = Status(True, "Okay"), Status(False, "Skip")


@dataclass(frozen=True)
class Filters:
    """The chain; `now` is the time in seconds since the epoch."""

    settings: Drain
    daemon_set_exists: DaemonSetLookup
    now: float
    ignore_daemonsets: bool = True

    def status(self, pod: Obj) -> Status:
        """Through the filters until one keeps the pod; the last one's word counts."""
        status = OKAY
        for each in (self._deleted, self._daemon_set, self._mirror, self._local_storage, self._unreplicated):
            status = each(pod)
            if not status.delete:
                break
        return status

    def _deleted(self, pod: Obj) -> Status:
        return SKIP if should_skip(pod, self.settings.skip_wait_for_delete_timeout, self.now) else OKAY

    def _daemon_set(self, pod: Obj) -> Status:
        owner = pods.controller(pod)
        if owner is None or owner["kind"] != "DaemonSet" or pods.is_finished(pod):
            return OKAY
        if not self.daemon_set_exists(pod["metadata"]["namespace"], owner["name"]):
            gone = f'daemonsets.apps "{owner["name"]}" not found'
            return Status(True, "Warning", gone) if self.settings.force else Status(False, "Error", gone)
        if not self.ignore_daemonsets:
            return Status(False, "Error", DAEMON_SET_FATAL)
        return Status(False, "Warning", DAEMON_SET_WARNING)

    def _mirror(self, pod: Obj) -> Status:
        return SKIP if pods.is_mirror(pod) else OKAY

    def _local_storage(self, pod: Obj) -> Status:
        if not pods.has_local_storage(pod) or pods.is_finished(pod):
            return OKAY
        if not self.settings.delete_emptydir_data:
            return Status(False, "Error", LOCAL_STORAGE_FATAL)
        return Status(True, "Warning", LOCAL_STORAGE_WARNING)

    def _unreplicated(self, pod: Obj) -> Status:
        if pods.is_finished(pod) or pods.controller(pod) is not None:
            return OKAY
        if self.settings.force:
            return Status(True, "Warning", UNMANAGED_WARNING)
        return Status(False, "Error", UNMANAGED_FATAL)


@dataclass(frozen=True)
class Filtered:
    """Every pod of a node with what becomes of it, in the API's order."""

    items: Sequence[tuple[Obj, Status]]

    @property
    def to_delete(self) -> list[Obj]:
        """The pods that the drain takes away."""
        return [pod for pod, status in self.items if status.delete]

    @property
    def kept(self) -> list[Obj]:
        """The pods that stay."""
        return [pod for pod, status in self.items if not status.delete]

    @property
    def warnings(self) -> str:
        """`message: ns/a, ns/b; other message: ns/c`, or nothing."""
        return "; ".join(f"{message}: {', '.join(names)}" for message, names in self._by_message("Warning").items())

    @property
    def errors(self) -> list[str]:
        """One line for each reason to refuse, each with its pods."""
        lines = (f"{message}: {', '.join(names)}" for message, names in self._by_message("Error").items())
        return [line if line.lower().startswith("cannot delete") else f"cannot delete {line}" for line in lines]

    def _by_message(self, reason: Reason) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for pod, status in self.items:
            if status.reason == reason:
                found.setdefault(status.message or "unexpected error", []).append(pods.title(pod))
        return found


def filtered(node_pods: Iterable[Obj], filters: Filters) -> Filtered:
    """All pods of a node through the filters."""
    return Filtered([(pod, filters.status(pod)) for pod in node_pods])


def should_skip(pod: Obj, seconds: int, now: float) -> bool:
    """Whether it was deleted longer ago than --skip-wait-for-delete-timeout, which 0 switches off."""
    deleted = pod["metadata"].get("deletionTimestamp")
    return seconds > 0 and bool(deleted) and int(now - pods.epoch(deleted)) > seconds


def aggregate(errors: Sequence[str]) -> str:
    """Several errors in one line, as client-go puts them: `[a, b]`, a single one bare, repetitions once."""
    unique = list(dict.fromkeys(errors))
    return unique[0] if len(unique) == 1 else f"[{', '.join(unique)}]"
