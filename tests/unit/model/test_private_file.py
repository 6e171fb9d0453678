"""For the owner only from the first byte; a symbolic link leads no write elsewhere."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cri_switch.model.private_file import make_private, write_private


@pytest.fixture(autouse=True)
def _no_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return path.lstat().st_mode & 0o777


def test_every_directory_that_is_made_and_none_that_is_there(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir(mode=0o755)
    make_private(there / "a" / "b")
    make_private(there / "a" / "b")
    assert [mode(each) for each in (there, there / "a", there / "a" / "b")] == [0o755, 0o700, 0o700]


def test_where_a_directory_should_be_is_something_else(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for name in ("file/below", "link", "link/below"):
        with pytest.raises(OSError, match=r"exists|Not a directory"):
            make_private(tmp_path / name)
    assert not (tmp_path / "elsewhere").exists()


def test_a_file_is_private_before_it_has_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen, real = list[int](), os.fdopen

    def looked(descriptor: int, *given: str, **more: str) -> object:
        seen.append(os.fstat(descriptor).st_mode & 0o777)
        return real(descriptor, *given, **more)  # type: ignore[call-overload]

    monkeypatch.setattr(os, "fdopen", looked)
    write_private(tmp_path / "f", "new")
    assert seen == [0o600]
    assert (mode(tmp_path / "f"), (tmp_path / "f").read_text()) == (0o600, "new")


@pytest.mark.parametrize("there", [True, False], ids=["to a file", "to nothing"])
def test_a_link_is_replaced_and_what_it_leads_to_left_alone(tmp_path: Path, there: bool) -> None:
    elsewhere = tmp_path / "elsewhere"
    if there:
        elsewhere.write_text("kept")
    (tmp_path / "f").symlink_to(elsewhere)
    write_private(tmp_path / "f", "new")
    assert (tmp_path / "f").read_text() == "new"
    assert not (tmp_path / "f").is_symlink()
    assert (elsewhere.read_text() if there else elsewhere.exists()) == ("kept" if there else False)


def test_what_cannot_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_private(tmp_path / "f", "\udcff")
    assert {each.name: each.read_text() for each in tmp_path.iterdir()} == {"f": "old"}
