from __future__ import annotations

import pytest

from cri_switch.render import toml_edit
from cri_switch.render.toml_edit import edit_toml


def test_lines_are_edited_only_where_tomlkit_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def by_line(text: str, *_edits: object) -> str:
        asked.append(text)
        return "a = 2\n"

    monkeypatch.setattr(toml_edit, "edit_lines", by_line)
    assert edit_toml("a = 1 # one\n", {("a",): 2}, [], "f") == "a = 2 # one\n"
    assert asked == []
    monkeypatch.setattr(toml_edit, "_edit_document", lambda *_edits: None)
    assert edit_toml("a = 1 # one\n", {("a",): 2}, [], "f") == "a = 2\n"
    assert asked == ["a = 1 # one\n"]
