"""When nodes may be started: kured's days, start, end and time zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FULL = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_AHEAD = 15
"""Days looked ahead: a weekly window whose one night is lost to a clock change still has the next."""

Period = tuple[datetime, datetime]


class Window(BaseModel):
    """A maintenance window; one whose end is not after its start ends on the next day.

    `days` are those on which it opens: `days: [fri], start: "22:00", end: "04:00"` lasts until Saturday, 04:00. Times
    are the wall clock's of `timezone`. Where a clock change repeats an hour the first one counts; a time that it skips
    is counted as if the clock had not been changed yet.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    days: list[str] = Field(default=list(DAYS), min_length=1, description="Days on which it opens: mon, tue ... sun")
    start: str = Field(description="Time at which it opens, HH:MM", json_schema_extra={"examples": ["22:00"]})
    end: str = Field(
        description="Time at which it closes, HH:MM; up to 24:00", json_schema_extra={"examples": ["04:00"]}
    )
    timezone: str = Field(default="UTC", description="Time zone of both, such as Europe/Berlin")

    @field_validator("days", mode="before")
    @classmethod
    def _days(cls, days: Any) -> Any:
        if isinstance(days, str):
            days = [part.strip() for part in days.split(",")]
        if not isinstance(days, list):
            return days
        found = [_day(str(day)) for day in days]
        return [day for day in DAYS if day in found]

    @field_validator("start", "end", mode="before")
    @classmethod
    def _time(cls, value: Any) -> Any:
        if isinstance(value, int) and not isinstance(value, bool):
            value = f"{value // 60:02}:{value % 60:02}"  # YAML 1.1 reads 22:00 as a number to the base of 60
        if isinstance(value, str):
            hours, _, minutes = value.strip().partition(":")
            sound = hours.isdecimal() and minutes.isdecimal() and len(hours) <= 2 and len(minutes) == 2
            total = int(hours) * 60 + int(minutes) if sound and int(minutes) < 60 else -1
            if not 0 <= total <= 24 * 60:
                raise ValueError(f"{value!r} is no time of day; write it as HH:MM")
            return f"{total // 60:02}:{total % 60:02}"
        return value

    @field_validator("timezone")
    @classmethod
    def _timezone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (OSError, ValueError, KeyError) as problem:
            raise ValueError(f"{name!r} is no time zone; write it as Europe/Berlin or UTC") from problem
        return name

    @model_validator(mode="after")
    def _lasts(self) -> Window:
        if self.start == "24:00":
            raise ValueError("start: write 00:00 and the next day")
        if self.start == self.end:
            raise ValueError("start and end are the same; a whole day is 00:00 to 24:00")
        return self

    def contains(self, at: datetime) -> bool:
        """Whether it is open at `at` (aware)."""
        return self._period(at) is not None

    def closes_at(self, at: datetime) -> datetime | None:
        """When the opening that contains `at` ends; None when closed. Openings that touch are one."""
        found = self._period(at)
        if found is None:
            return None
        end = found[1]
        for begin, later in self._periods(at):
            if begin <= end < later:
                end = later
        return end

    def next_opening(self, at: datetime) -> datetime | None:
        """The first opening after `at`; None where none comes within 15 days (no such day exists in practice)."""
        return next((begin for begin, _ in self._periods(at) if begin > at), None)

    def _period(self, at: datetime) -> Period | None:
        return next((period for period in self._periods(at) if period[0] <= at < period[1]), None)

    def _periods(self, at: datetime) -> list[Period]:
        """Openings from two days before `at`, in order, in UTC; none that a clock change leaves empty."""
        zone = ZoneInfo(self.timezone)
        first = at.astimezone(zone).date() - timedelta(days=2)
        overnight = self.end < self.start
        found = []
        for day in (first + timedelta(days=n) for n in range(_AHEAD + 3)):
            if DAYS[day.weekday()] in self.days:
                begin, end = _instant(day, self.start, zone), _instant(day + timedelta(days=overnight), self.end, zone)
                if begin < end:
                    found.append((begin, end))
        return found


def _day(text: str) -> str:
    """kured's spellings: monday, mon, mo."""
    lower = text.strip().lower()
    for short, full in zip(DAYS, _FULL, strict=True):
        if lower in (full, short, short[:2]):
            return short
    raise ValueError(f"{text!r} is no day; known are {', '.join(DAYS)}")


def _instant(day: date, clock: str, zone: ZoneInfo) -> datetime:
    hours, minutes = (int(part) for part in clock.split(":"))
    day, hours = (day + timedelta(days=1), 0) if hours == 24 else (day, hours)
    return datetime.combine(day, time(hours, minutes), tzinfo=zone).astimezone(UTC)
