"""What a cell came to, for docs/resume.md."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.kills.chain import Chain

FILE = "kills.jsonl"


def judge(chain: Chain, output: Path | None = None, where: str = "") -> None:
    """Nothing done twice, nothing left half done, each step done by the next run; the rows are kept in any case."""
    rows, wrong = chain.rows(), [*chain.twice(), *chain.ground.left()]
    for row in rows:
        row["cluster"] = where
        row["migration"] = "nothing done twice, nothing left" if not wrong else "not as expected"
        row["why"] = wrong
    if output is not None:
        note(output, rows)
    assert not wrong, "\n".join(wrong)
    assert {row["end"] for row in rows} == {"done by the next run"}, rows


def note(output: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Append them."""
    at = datetime.now(UTC).isoformat(timespec="seconds")
    with (output / FILE).open("a") as stream:
        stream.writelines(json.dumps({"at": at} | row) + "\n" for row in rows)
