"""The pictures of docs/ui.md: a rehearsal run in Prefect's UI (`make pictures` puts them into docs/images)."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from selenium.common.exceptions import TimeoutException, WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.ui import WebDriverWait

from tests.prefect.conftest import SETTINGS
from tests.support.browser import chromium, screenshot

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
PROGRAM = str(Path(sys.executable).with_name("cri-switch"))
LINE = re.compile(r"(http://127\.0\.0\.1:\d+)/runs/flow-run/([0-9a-f-]{36}) \(Ctrl-C ends it\)")
SETTLED_SECONDS = 4
"""The graph is drawn after the page's text."""
LOADS = 3
"""How often a page is loaded that does not show what it should."""
_INTO_VIEW = """
const all = document.evaluate("//*[contains(text(), '" + arguments[0] + "')]", document, null, 7, null);
if (all.snapshotLength) all.snapshotItem(0).scrollIntoView({block: "center"});
"""


@contextmanager
def demo(home: Path) -> Iterator[tuple[str, str]]:
    """A demo that has ended and keeps its server up: the UI's address and the run's id."""
    words = [PROGRAM, "demo", "--nodes", "4", "--control-planes", "1", "--fault", "none", "--ui"]
    environment = {**os.environ, "HOME": str(home), "NO_COLOR": "1"}
    with subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as run:
        assert run.stderr is not None
        found = next((each for line in run.stderr if (each := LINE.search(line))), None)
        assert found
        try:
            yield found[1], found[2]
        finally:
            run.send_signal(signal.SIGINT)
            run.wait(60)


def asked(url: str, what: str, wanted: dict[str, Any]) -> list[dict[str, Any]]:
    """The server's answer to a filter."""
    found: list[dict[str, Any]] = httpx.post(f"{url}/api/{what}/filter", json=wanted, timeout=60).json()
    return found


def deployed(url: str, folder: Path) -> str:
    """The id of a deployment migrate-cluster/NAME, registered with the demo's server."""
    file = folder / "migration.yaml"
    file.write_text(SETTINGS.format(name="production"))
    environment = {**os.environ, "PREFECT_API_URL": f"{url}/api", "NO_COLOR": "1"}
    subprocess.run([PROGRAM, "deploy", "-f", str(file)], env=environment, check=True, capture_output=True, timeout=300)
    found: dict[str, Any] = httpx.get(f"{url}/api/deployments/name/migrate-cluster/production", timeout=60).json()
    return str(found["id"])


def picture(driver: WebDriver, address: str, name: str, *texts: str, top: bool = False) -> None:
    """The page once it shows all of these, its top or the last one in the middle, as build/test-output/ui-NAME.png."""

    def shown(at: WebDriver) -> bool:
        text = at.find_element(By.TAG_NAME, "body").text
        return all(each in text for each in texts)

    for left in reversed(range(LOADS)):
        driver.get(address)
        patience = WebDriverWait(driver, 90, poll_frequency=1, ignored_exceptions=[WebDriverException])
        try:
            patience.until(shown, f"{address} shows {texts}")
            break
        except TimeoutException:
            screenshot(driver, f"failed-{name}")
            if not left:
                raise
    time.sleep(SETTLED_SECONDS)
    if not top:
        driver.execute_script(_INTO_VIEW, texts[-1])
    file = screenshot(driver, f"ui-{name}")
    assert 10_000 < file.stat().st_size < 300_000


def test_pictures_of_a_rehearsal_run(tmp_path: Path) -> None:
    with demo(tmp_path) as (url, run), chromium(tmp_path / "browser") as driver:
        driver.set_window_size(1400, 1100)
        children = {"flow_runs": {"parent_flow_run_id": {"any_": [run]}}}
        node = next(each for each in asked(url, "flow_runs", children) if each["name"] == "w1")
        artifacts = asked(url, "artifacts", {"artifacts": {"flow_run_id": {"any_": [run]}, "key": {"exists_": True}}})
        report = next(each for each in artifacts if each["key"].startswith("report-"))
        picture(driver, f"{url}/runs/flow-run/{run}", "flow", "Completed", "rehearsal")
        picture(driver, f"{url}/runs/flow-run/{node['id']}", "node", "Completed", "w1")
        picture(driver, f"{url}/artifacts/artifact/{report['id']}", "artifact", "containerd://1.4.13")
        form = f"{url}/deployments/deployment/{deployed(url, tmp_path)}/run"
        picture(driver, form, "form", "Kubeconfig", "Backup", "Max Unavailable", top=True)
