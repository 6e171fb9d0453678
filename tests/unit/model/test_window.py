"""Maintenance windows: days, midnight, clock changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cri_switch.model.window import DAYS, Window


def window(text: str) -> Window:
    return Window.model_validate(yaml.safe_load(text))


def at(text: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


NIGHT = window("{days: [fri], start: 22:00, end: 04:00, timezone: Europe/Berlin}")  # unquoted: YAML's base 60


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("2026-11-27 21:59:59", False),
        ("2026-11-27 22:00", True),
        ("2026-11-28 03:59:59", True),
        ("2026-11-28 04:00", False),
        ("2026-11-27 03:00", False),  # Friday's early morning belongs to Thursday's window
        ("2026-11-28 22:30", False),
    ],
)
def test_over_midnight_it_belongs_to_the_day_on_which_it_opens(when: str, expected: bool) -> None:
    assert NIGHT.contains(at(when, "Europe/Berlin")) is expected


def test_closes_and_opens_again() -> None:
    now = at("2026-11-28 01:00", "Europe/Berlin")
    assert NIGHT.closes_at(now) == at("2026-11-28 04:00", "Europe/Berlin")
    assert NIGHT.next_opening(now) == at("2026-12-04 22:00", "Europe/Berlin")
    assert NIGHT.closes_at(at("2026-11-28 12:00")) is None
    assert NIGHT.next_opening(at("2026-11-27 20:00")) == at("2026-11-27 21:00")


@pytest.mark.parametrize(
    ("text", "opens", "closes"),
    [
        # 2026-03-29: 02:00 becomes 03:00; 2026-10-25: 03:00 becomes 02:00
        ("{days: [sat], start: 22:00, end: 04:00, timezone: Europe/Berlin}", "2026-03-28T21:00Z", "2026-03-29T02:00Z"),
        ("{days: [sat], start: 22:00, end: 04:00, timezone: Europe/Berlin}", "2026-10-24T20:00Z", "2026-10-25T03:00Z"),
        ("{days: [sun], start: 02:30, end: 05:00, timezone: Europe/Berlin}", "2026-03-29T01:30Z", "2026-03-29T03:00Z"),
        ("{days: [sun], start: 01:00, end: 02:30, timezone: Europe/Berlin}", "2026-10-24T23:00Z", "2026-10-25T00:30Z"),
    ],
)
def test_clock_changes(text: str, opens: str, closes: str) -> None:
    begin, end = datetime.fromisoformat(opens), datetime.fromisoformat(closes)
    assert window(text).next_opening(begin - timedelta(hours=3)) == begin
    assert window(text).closes_at(begin) == end


def test_a_night_that_a_clock_change_swallows_is_left_out() -> None:
    lost = window("{days: [sun], start: 02:30, end: 03:15, timezone: Europe/Berlin}")
    assert lost.next_opening(at("2026-03-28 12:00")) == at("2026-04-05 00:30")


def test_days_that_touch_are_one() -> None:
    weekend = window("{days: [sat, sun], start: '00:00', end: '24:00'}")
    assert weekend.closes_at(at("2026-11-28 10:00")) == at("2026-11-30 00:00")


@pytest.mark.parametrize("days", [["Friday", "SAT", "su"], "fri, sat,sun"])
def test_kureds_spellings(days: Any) -> None:
    assert Window(days=days, start="1:00", end="2:00").days == ["fri", "sat", "sun"]
    assert Window(start="1:00", end="2:00").days == list(DAYS)
    assert Window(start="1:00", end="2:00").start == "01:00"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"days": ["someday"]}, "no day"),
        ({"days": []}, "at least 1"),
        ({"start": "25:00"}, "no time of day"),
        ({"start": "9pm"}, "no time of day"),
        ({"start": "24:00"}, "next day"),
        ({"end": "01:00"}, "whole day"),
        ({"timezone": "Mars/Olympus"}, "no time zone"),
        ({"timezone": "../../etc/passwd"}, "no time zone"),
    ],
)
def test_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Window.model_validate({"start": "01:00", "end": "02:00", **change})


minutes = st.integers(0, 24 * 60 - 1).map(lambda n: f"{n // 60:02}:{n % 60:02}")
windows = (
    st.tuples(st.sets(st.sampled_from(DAYS), min_size=1), minutes, minutes)
    .filter(lambda w: w[1] != w[2])
    .flatmap(
        lambda w: st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]).map(
            lambda zone: Window(days=sorted(w[0]), start=w[1], end=w[2], timezone=zone)
        )
    )
)
moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))


@given(windows, moments)
def test_open_closed_and_the_next_opening_agree(found: Window, now: datetime) -> None:
    closes, opens = found.closes_at(now), found.next_opening(now)
    assert (closes is not None) == found.contains(now)
    assert opens is not None
    assert opens > now
    assert found.contains(opens)
    assert not found.contains(opens - timedelta(microseconds=1)) or closes is not None
    if closes is None:
        assert not found.contains(now + (opens - now) / 2)
    else:
        assert closes > now
        assert not found.contains(closes)
        assert found.contains(now + (closes - now) / 2)
