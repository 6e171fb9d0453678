"""A copy of a node's files: what is there, and what may not be read, told by name and never as "not there"."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cri_switch.node.copied_files import CopiedFiles
from tests.support.unprivileged import as_nobody, readable


def copy(root: Path) -> Path:
    (root / "etc/docker").mkdir(parents=True)
    (root / "etc/docker/daemon.json").write_text("{}")
    (root / "etc/other").write_text("x")
    return root


def test_what_is_there_and_what_is_not(tmp_path: Path) -> None:
    files = CopiedFiles(copy(tmp_path), {"/etc/other": "assumed", "/etc/third": "assumed"})
    assert files.text("/etc/docker/daemon.json") == "{}"
    assert files.text("/etc/other") == "x", "what is there is not assumed"
    assert files.text("/etc/third") == "assumed"
    assert files.text("/etc/fourth") is None
    assert files.why_not("/etc/fourth") == "No such file or directory"
    assert files.text("/etc/other/below") is None
    assert files.names("/etc") == ["docker", "other"]
    assert files.names("/etc/other") is None
    assert files.names("/nothing") is None
    assert files.there("/etc/other")
    assert not files.there("/etc/third")
    assert files.refused == {}


@pytest.mark.parametrize("mode", [0o000, 0o200])
@pytest.mark.parametrize("refused", ["etc/docker/daemon.json", "etc/docker", "etc", "."])
def test_what_may_not_be_read(open_path: Path, refused: str, mode: int) -> None:
    root = readable(copy(open_path / "copy"))
    (root / refused).chmod(mode)
    files = CopiedFiles(root, {"/etc/docker/daemon.json": "assumed"})
    with as_nobody(root):
        assert files.text("/etc/docker/daemon.json") is None
        assert files.there("/etc/docker/daemon.json"), "for all that is known"
        assert (files.names("/etc/docker") is None) is not refused.endswith(".json")
    assert files.refused == {"/" + refused.lstrip("."): "Permission denied"}
    assert files.why_not("/etc/docker/daemon.json") == "Permission denied"


def test_a_directory_that_may_be_searched_and_not_listed(open_path: Path) -> None:
    root = readable(copy(open_path / "copy"))
    (root / "etc/docker").chmod(0o111)
    files = CopiedFiles(root)
    with as_nobody(root):
        assert files.text("/etc/docker/daemon.json") == "{}"
        assert files.names("/etc/docker") is None
    assert files.refused == {"/etc/docker": "Permission denied"}


def test_what_is_no_file(tmp_path: Path) -> None:
    copy(tmp_path)
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "gone").symlink_to("nowhere")
    files = CopiedFiles(tmp_path)
    assert [files.text(f"/{name}") for name in ("etc", "fifo", "loop", "gone")] == [None] * 4
    assert files.refused == {
        "/etc": "Is a directory",
        "/fifo": "not a regular file",
        "/loop": "Too many levels of symbolic links",
    }


def test_links_are_followed_inside(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("secret")
    root = readable(copy(tmp_path / "copy"))
    (root / "etc/absolute").symlink_to("/etc/other")
    (root / "etc/relative").symlink_to("../../../etc/other")
    (root / "etc/out").symlink_to(outside)
    files = CopiedFiles(root)
    assert [files.text(f"/etc/{name}") for name in ("absolute", "relative", "out")] == ["x", "x", None]


def test_a_unit_that_is_masked_is_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "dev").mkdir()
    os.mkfifo(tmp_path / "dev/null")  # a device needs root
    (tmp_path / "docker.service").symlink_to("/dev/null")
    files = CopiedFiles(tmp_path)
    assert files.text("/docker.service") == ""
    assert files.refused == {}
