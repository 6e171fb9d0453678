"""systemd units, all asked at once."""

from __future__ import annotations

from dataclasses import dataclass

from cri_switch.node.command import Result, plain
from cri_switch.node.fact import Fact

PROPERTIES = (
    "Id,LoadState,ActiveState,SubState,UnitFileState,FragmentPath,MainPID,ExecMainStartTimestamp,"
    "ActiveEnterTimestamp,Result,ExecMainStatus,NRestarts"
)


@dataclass(frozen=True)
class Unit:
    """What `systemctl show` says of a unit; times are systemd's text in UTC or local time, "" for never."""

    id: str
    load_state: str = "not-found"
    active_state: str = "inactive"
    sub_state: str = "dead"
    unit_file_state: str = ""
    fragment_path: str = ""
    main_pid: int = 0
    started: str = ""
    active_since: str = ""
    result: str = ""
    exit_status: int = 0
    restarts: int = 0

    @property
    def active(self) -> bool:
        """Whether it runs (reloading counts)."""
        return self.active_state in ("active", "reloading")

    @property
    def stopped(self) -> bool:
        """Whether nothing of it runs and systemd will not start it again by itself."""
        return self.active_state in ("inactive", "failed")

    @property
    def masked(self) -> bool:
        """Whether it is masked, for good or until the next boot."""
        return self.load_state == "masked" or self.unit_file_state.startswith("masked")

    @property
    def exists(self) -> bool:
        """Whether there is a unit file, masked or not."""
        return self.load_state != "not-found"

    @property
    def enabled(self) -> bool:
        """Whether it starts at boot."""
        return self.unit_file_state in ("enabled", "enabled-runtime")


def parse_units(text: str) -> list[Unit]:
    """`systemctl show` of several units: blocks of Name=value, a blank line between two."""
    return [_unit(block) for block in text.strip().split("\n\n") if block.strip()]


def _unit(block: str) -> Unit:
    found = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
    return Unit(
        id=found.get("Id", ""),
        load_state=found.get("LoadState", "not-found"),
        active_state=found.get("ActiveState", "inactive"),
        sub_state=found.get("SubState", "dead"),
        unit_file_state=found.get("UnitFileState", ""),
        fragment_path=found.get("FragmentPath", ""),
        main_pid=int(found.get("MainPID") or 0),
        started=found.get("ExecMainStartTimestamp", ""),
        active_since=found.get("ActiveEnterTimestamp", ""),
        result=found.get("Result", ""),
        exit_status=int(found.get("ExecMainStatus") or 0),
        restarts=int(found.get("NRestarts") or 0),
    )


def units(*names: str) -> Fact[dict[str, Unit]]:
    """The units by the names asked for, one command; a unit that does not exist is there with exists False."""
    full = tuple(name if "." in name else f"{name}.service" for name in names)

    def parse(result: Result) -> dict[str, Unit]:
        return dict(zip(names, parse_units(result.stdout), strict=True))

    command = plain("systemctl", "show", "--no-pager", "-p", PROPERTIES, "--", *full)
    return Fact(f"units {' '.join(names)}", command, parse)
