"""kubectl drain's flags: the settings of `spec.drain` on the command line, under the same names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from cyclopts import Group, Parameter

from cri_switch.model.migration import Drain

_GROUP = Group("Drain, as kubectl drain", sort_key=1)


def _name(setting: str) -> str:
    return f"--{setting.replace('_', '-')}"


def _flag(name: str) -> Parameter:
    about = Drain.model_fields[name].description
    return Parameter(name=_name(name), negative=(), group=_GROUP, help=f"{about}.")


@Parameter(name="*")
@dataclass(frozen=True)
class DrainFlags:
    """One for each setting of `Drain`; None is what the file says."""

    force: Annotated[bool | None, _flag("force")] = None
    delete_emptydir_data: Annotated[bool | None, _flag("delete_emptydir_data")] = None
    disable_eviction: Annotated[bool | None, _flag("disable_eviction")] = None
    grace_period: Annotated[int | None, _flag("grace_period")] = None
    timeout: Annotated[float | None, _flag("timeout")] = None
    pod_selector: Annotated[str | None, _flag("pod_selector")] = None
    skip_wait_for_delete_timeout: Annotated[int | None, _flag("skip_wait_for_delete_timeout")] = None

    def given(self) -> dict[str, Any]:
        """The settings that were given."""
        return {name: value for name, value in vars(self).items() if value is not None}

    def words(self) -> list[str]:
        """The flags as they would be typed again."""
        return [
            _name(name) if value is True else f"{_name(name)}={'false' if value is False else value}"
            for name, value in self.given().items()
        ]


NO_DRAIN_FLAGS = DrainFlags()
