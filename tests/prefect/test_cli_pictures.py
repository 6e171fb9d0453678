"""The pictures of docs/command-line.md: help and plan in a real terminal; `make pictures` takes them anew."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from selenium.webdriver.remote.webdriver import WebDriver

from tests.support.browser import chromium, screenshot
from tests.support.prefect_server import PrefectServer
from tests.support.rehearsed import rehearsed
from tests.support.terminal import on_terminal, plain
from tests.support.terminal_picture import page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
PROGRAM = str(Path(sys.executable).with_name("cri-switch"))
_PLAIN = ("NO_COLOR", "COLUMNS", "PREFECT_LOGGING_COLORS", "PREFECT_CLI_COLORS")


def picture(directory: Path, words: list[str], seen: str, columns: int) -> None:
    """What was typed and what came, as build/test-output/cli-COMMAND.png."""
    typed = f"$ {' '.join(['cri-switch', *words])}\n"
    file = directory / "page.html"
    file.write_text(page(typed + seen, columns=columns, title=words[0]), encoding="utf-8")
    with chromium(directory / "browser") as driver:
        driver.get(file.as_uri())
        _fit(driver)
        made = screenshot(driver, f"cli-{words[0].strip('-')}")
    assert 10_000 < made.stat().st_size < 400_000


def _fit(driver: WebDriver) -> None:
    """The window is as large as the text."""
    wide, high = driver.execute_script("const {offsetWidth: w, offsetHeight: h} = document.body; return [w, h]")
    driver.set_window_size(wide, high)
    inner = driver.execute_script("return [innerWidth, innerHeight]")
    driver.set_window_size(2 * wide - inner[0], 2 * high - inner[1])


def test_help(tmp_path: Path) -> None:
    code, seen = on_terminal([PROGRAM, "--help"], columns=80)
    assert code == 0
    picture(tmp_path, ["--help"], seen, 80)


def test_plan(server: PrefectServer, tmp_path: Path) -> None:
    environment = {key: value for key, value in server.env().items() if key not in _PLAIN}
    with rehearsed(server, tmp_path, nodes=6, control_planes=1, replicas=2, speed=10) as cluster:
        cluster.settings("prod", {"max_unavailable": 2})
        words = ["plan", "-f", "prod.yaml"]
        code, seen = on_terminal(
            [PROGRAM, *words], columns=120, environment=environment, directory=tmp_path, seconds=400
        )
    assert code == 0, seen
    assert plain(seen)[-1].startswith("Next: cri-switch migrate -f prod.yaml --yes")
    picture(tmp_path, words, seen.replace(str(tmp_path / "cluster"), "/home/ops"), 120)
