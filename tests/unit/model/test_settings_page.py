from __future__ import annotations

from pathlib import Path

from cri_switch.model.migration import Migration
from cri_switch.model.settings_page import page, sections

ROOT = Path(__file__).parents[3]


def test_the_page_is_made_of_the_model() -> None:
    assert (ROOT / "docs" / "settings.md").read_text() == page(), "make docs"


def test_every_setting_has_a_row_and_a_meaning() -> None:
    text = page()
    for path, model in sections(Migration, ""):
        for name, field in model.model_fields.items():
            row = next(line for line in text.splitlines() if line.startswith(f"| `{f'{path}.{name}'.lstrip('.')}` |"))
            assert row.split(" | ")[-1].strip(" |") or name in ("apiVersion", "kind"), row
            assert ("required" in row) == field.is_required(), row
