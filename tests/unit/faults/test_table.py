"""The page of faults says what was recorded last, and nothing of what did not run."""

from __future__ import annotations

import json

from tests.faults.matrix import cells
from tests.faults.table import page, rows


def _line(**values: object) -> str:
    return json.dumps({"node": "w1", "step": "drain", "fault": "after", "end": "back on Docker"} | values)


def test_the_last_record_of_a_cell_counts() -> None:
    found = rows([_line(end="not as expected", seconds=3.0), _line(seconds=4.0)])
    assert [(row["end"], row["seconds"]) for row in found] == [("back on Docker", 4.0)]


def test_cells_are_in_the_order_of_the_steps_and_the_next_run_is_last() -> None:
    lines = [_line(step="none", fault="the next run"), _line(step="settle"), _line(step="stop_docker"), _line()]
    assert [row["step"] for row in rows(lines)] == ["drain", "stop_docker", "settle", "none"]


def test_a_cell_that_broke_before_its_end_is_shown_without_seconds() -> None:
    lines = page([_line(end="not as expected")]).splitlines()
    assert "| drain | after | w1 |  | not as expected |  |  |" in lines


def test_cells_of_the_matrix_that_were_not_seen_are_named() -> None:
    every = [_line(node=node, step=step, fault=when) for node, step, when in cells()]
    assert "Not seen yet" not in page(every)
    assert "Not seen yet, 1 of 65: w1 stop_docker after." in page(every[1:])


def test_each_kind_has_a_table_of_its_own_and_an_empty_one_is_left_out() -> None:
    text = page([_line(), _line(fault="after, no crictl"), _line(fault="inside, of three control planes", node="cp2")])
    heads = [line for line in text.splitlines() if line.startswith("## ")]
    assert heads == ["## A step fails", "## One of three control planes", "## Other faults"]
    assert [text.count(f"| drain | {fault}") for fault in ("after |", "after, no", "inside, of")] == [1, 1, 1]
