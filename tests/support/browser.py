"""Prefect's UI in a headless Chromium: the run form of a deployment, and the page of a run."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException, TimeoutException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support import expected_conditions
from selenium.webdriver.support.ui import WebDriverWait

CHROMIUM, DRIVER = "/usr/bin/chromium", "/usr/bin/chromedriver"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1400,2200",
]
_FIELD = """
const [path] = arguments;
const label = (at) => at.querySelector(".schema-form-property__label").textContent.replace("(Optional)", "").trim();
let root = null;
for (const key of path) {
    const wanted = key.replaceAll("_", " ").toLowerCase();
    const fields = [...(root || document).querySelectorAll(".p-label.schema-form-property")];
    const above = (at) => at.parentElement.closest(".p-label.schema-form-property");
    root = fields.find((at) => above(at) === root && label(at).toLowerCase() === wanted);
    if (!root) return null;
}
return root;
"""
_CONTROL = "input, textarea"
_SEND = f"""
const [finder, edits] = arguments;
const find = new Function(finder);
if (!edits.every(([path, text]) => find(path)?.querySelector("{_CONTROL}")?.value === text)) return false;
document.querySelector("form button[type=submit]").click();
return true;
"""


@contextmanager
def chromium(directory: Path) -> Iterator[WebDriver]:
    """A browser with an empty profile in `directory`, in the network of this process."""
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in [*FLAGS, f"--user-data-dir={directory / 'profile'}"]:
        options.add_argument(flag)
    directory.mkdir(parents=True, exist_ok=True)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    try:
        yield driver
    finally:
        driver.quit()


def installed() -> bool:
    """Whether Debian's chromium and chromium-driver are there."""
    return bool(shutil.which(CHROMIUM) and shutil.which(DRIVER))


def screenshot(driver: WebDriver, name: str) -> Path:
    """A picture of the page in the tests' output directory, for a person to look at."""
    directory = Path(os.environ.get("CRI_SWITCH_TEST_OUTPUT", "build/test-output"))
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / f"{name}.png"
    driver.save_screenshot(str(file))
    return file


def run_form(driver: WebDriver, ui_url: str, deployment_id: str, edits: Mapping[str, str]) -> str:
    """Open a deployment's run form, fill in fields by their key path, submit; the id of the run that appears.

    `edits` is like {"migration.spec.drain.timeout": "90"}; text and number fields only.
    """
    driver.get(f"{ui_url}/deployments/deployment/{deployment_id}/run")
    submitted = _Submit({path: (path.split("."), text) for path, text in edits.items()})
    patience = WebDriverWait(driver, 90, poll_frequency=1, ignored_exceptions=[StaleElementReferenceException])
    patience.until(submitted, f"the form is sent with {dict(edits)}")
    pattern = re.compile(r"/runs/flow-run/([0-9a-f-]{36})")

    def made(at: WebDriver) -> str | None:
        found = pattern.search(at.current_url) or pattern.search(at.page_source)
        return found.group(1) if found else None

    run_id = WebDriverWait(driver, 60).until(made, "the form leads to a run")
    assert run_id is not None
    return run_id


def assert_run_page(
    driver: WebDriver,
    ui_url: str,
    run_id: str,
    *,
    state: str,
    tasks: Sequence[str] = (),
    subflows: Sequence[str] = (),
    picture: str = "run",
) -> None:
    """The run's page shows the state, and under their tabs the names of task runs and subflow runs."""
    driver.get(f"{ui_url}/runs/flow-run/{run_id}")
    _shows(driver, [state], f"{picture}-page", scroll=False)
    for tab, names in (("Task Runs", tasks), ("Subflow Runs", subflows)):
        if names:
            _open_tab(driver, tab)
            _shows(driver, names, f"{picture}-{tab.split()[0].lower()}s", scroll=True)


class _Submit:
    """Fill the fields in, and send the form in the same turn of the page in which it was seen to have them all.

    The form builds its fields anew, with the deployment's values, whenever the page has asked the server again: what
    was typed before that is gone, at any moment, so looking first and clicking later sends the old value at times.
    """

    _STEADY = 3

    def __init__(self, edits: Mapping[str, tuple[list[str], str]]) -> None:
        self._edits = edits
        self._looks = 0

    def __call__(self, driver: WebDriver) -> bool:
        self._looks = self._looks + 1 if all(self._filled(driver, *each) for each in self._edits.values()) else 0
        if self._looks < self._STEADY:
            return False
        screenshot(driver, "run-form")
        return bool(driver.execute_script(_SEND, _FIELD, list(self._edits.values())))

    @staticmethod
    def _filled(driver: WebDriver, path: list[str], text: str) -> bool:
        """Whether the field has the text; types it where not."""
        field = driver.execute_script(_FIELD, path)
        if field is None:
            return False
        control = field.find_element(By.CSS_SELECTOR, _CONTROL)
        if control.get_attribute("value") == text:
            return True
        driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", control)
        control.click()
        control.send_keys(Keys.CONTROL, "a")
        control.send_keys(text, Keys.TAB)
        return False


def _open_tab(driver: WebDriver, name: str) -> None:
    here = expected_conditions.element_to_be_clickable(
        (By.XPATH, f"//*[contains(@class, 'tab') and normalize-space()='{name}']")
    )
    tab = WebDriverWait(driver, 30).until(here, f"the tab {name}")
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", tab)
    tab.click()


def _shows(driver: WebDriver, texts: Sequence[str], picture: str, *, scroll: bool) -> None:
    """The page has every text; lists that load more as one scrolls are scrolled."""
    missing = list(texts)

    def all_seen(at: WebDriver) -> bool:
        nonlocal missing
        body = at.find_element(By.TAG_NAME, "body").text
        missing = [text for text in missing if text not in body]
        for each in (
            at.find_elements(By.CSS_SELECTOR, "[class*=list-item], [class*=virtual-scroller]")[-1:]
            if scroll and missing
            else []
        ):
            at.execute_script("arguments[0].scrollIntoView()", each)
        return not missing

    try:
        WebDriverWait(driver, 30).until(all_seen)
    except TimeoutException as problem:
        problem.add_note(f"not on the page {driver.current_url}: {missing}")
        raise
    finally:
        screenshot(driver, picture)
