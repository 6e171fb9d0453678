"""Prefect's UI in a headless Chromium: the run form of a deployment, and the page of a run."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from selenium import webdriver
from selenium.common.exceptions import TimeoutException, WebDriverException
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
_NO_REQUEST_S = 8.0
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
_GUARD = """
const [edits] = arguments;
const has = (body) => edits.every(([path, text]) => {
    const value = path.reduce((at, key) => at?.[key], body.parameters);
    return String(value) === text;
});
const { open, send } = XMLHttpRequest.prototype;
window.form = { heldBack: 0, sent: 0, run: null, answers: [] };
XMLHttpRequest.prototype.open = function (method, url, ...rest) {
    this.makesRun = String(url).endsWith("/create_flow_run");
    return open.call(this, method, url, ...rest);
};
XMLHttpRequest.prototype.send = function (body) {
    if (!this.makesRun) return send.call(this, body);
    if (window.form.sent || !has(JSON.parse(body))) {
        window.form.heldBack += 1;
        this.abort();
        throw new Error("the form would send another value than the one typed");
    }
    window.form.sent += 1;
    this.addEventListener("loadend", () => {
        window.form.answers.push(this.status);
        if (this.status === 201) window.form.run = JSON.parse(this.responseText).id;
        else window.form.sent = 0;
    });
    return send.call(this, body);
};
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
    patience = WebDriverWait(driver, 240, poll_frequency=1, ignored_exceptions=[WebDriverException])
    submit = _Submit(edits)
    try:
        run_id = patience.until(submit, f"the form leads to a run with {dict(edits)}")
    except TimeoutException as problem:
        screenshot(driver, "run-form-failed")
        problem.add_note(f"at {driver.current_url}: {submit.story}")
        raise
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
    """Fill the fields in and send the form, until what the page sends has what was typed.

    The form takes the deployment's values anew whenever the page has asked the server again. A field may then still
    show what was typed before, and the value is gone: seen three times on a busy machine. A click may also come to
    nothing while the form is checked. So the request itself is looked at, in the page: one with another value is held
    back, as is a second one; a click that no request follows is made again, and at last the page is loaded anew, as a
    person would look, type again and send again. The run's id is what the server answered to it.
    """

    def __init__(self, edits: Mapping[str, str]) -> None:
        self._edits = [(path.split("."), text) for path, text in edits.items()]
        self._clicked = -_NO_REQUEST_S
        self._held_back = 0
        self.story: list[str] = []

    def __call__(self, driver: WebDriver) -> str | None:
        form = driver.execute_script("return window.form") or {"heldBack": 0, "sent": 0, "run": None, "answers": []}
        if form["run"] or form["sent"]:
            return cast(str | None, form["run"])
        if form["heldBack"] == self._held_back and time.monotonic() < self._clicked + _NO_REQUEST_S:
            return None  # on its way
        self._held_back = form["heldBack"]
        if len(self.story) % 6 == 5:
            self.story.append("loaded anew")
            driver.refresh()
            return None
        for path, text in self._edits:
            if not self._typed(driver, path, text):
                self.story.append(f"no field, or not typed: {'.'.join(path)}")
                return None
        driver.execute_script(f"if (!window.form) {{ {_GUARD} }}", self._edits)
        screenshot(driver, "run-form")
        driver.execute_script("document.querySelector('form button[type=submit]').click()")
        self._clicked = time.monotonic()
        self.story.append(f"clicked, after {form}")
        return None

    @staticmethod
    def _typed(driver: WebDriver, path: list[str], text: str) -> bool:
        field = driver.execute_script(_FIELD, path)
        if field is None:
            return False
        control = field.find_element(By.CSS_SELECTOR, "input, textarea")
        driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", control)
        control.click()
        control.send_keys(Keys.CONTROL, "a")
        control.send_keys(Keys.DELETE)
        control.send_keys(text, Keys.TAB)
        return bool(control.get_attribute("value") == text)


def _open_tab(driver: WebDriver, name: str) -> None:
    here = expected_conditions.element_to_be_clickable(
        (By.XPATH, f"//*[contains(@class, 'tab') and normalize-space()='{name}']")
    )
    tab = WebDriverWait(driver, 120).until(here, f"the tab {name}")
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
        WebDriverWait(driver, 120).until(all_seen)
    except TimeoutException as problem:
        problem.add_note(f"not on the page {driver.current_url}: {missing}")
        raise
    finally:
        screenshot(driver, picture)
