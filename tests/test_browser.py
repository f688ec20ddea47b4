"""The notebooks in a real JupyterLab in a real browser, moved as a person moves them.

Screenshots go to the folder that MER_SCREENSHOTS names, else to pytest's temporary one. Without a browser these tests
are skipped, unless MER_BROWSER is "required": then they fail.
"""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import pytest

from mer_lib.running.notebooks import notebook_folder
from tests.chromium import MARKS, OPTIONS

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install -e .[dev]")
pytestmark = [*MARKS, pytest.mark.timeout(400)]

NOTEBOOKS = ("02_apex_visualisation", "03_flow_and_strain", "04_region_crops")
SECOND = 1000  # ms, in which playwright counts
REST = 600  # ms without a spinner or another picture, after which nothing more is drawn
PICTURE = ".jp-OutputArea-output img"

#: Errors of the console that say nothing about the notebook, by a part of their text.
HARMLESS = (
    "favicon",
    "ResizeObserver loop",  # Chromium's way of saying that it laid something out twice
)

#: Settings of JupyterLab: all cells stay in the page, nothing is fetched from elsewhere.
SETTINGS = {
    "notebook-extension/tracker": '{"windowingMode": "none"}',
    "apputils-extension/notification": '{"fetchNews": "false", "checkForUpdates": false}',
}

TRIAL = (
    """
import threading, time
import ipywidgets
from mer_lib import widgets
from mer_lib.errors import DataError
from mer_lib.plots.style import panels, styled

drawn = []

@styled
def draw(value, how):
    drawn.append(value)
    if how == "slow":
        time.sleep(1)
    if how == "wrong":
        raise DataError("no face is found in this frame")
    figure, axes = panels(1, 1, width=6, height=2.5)
    axes[0, 0].barh([0], [value])
    axes[0, 0].set_xlim(0, 50)
    return figure
""",
    """
widgets.bind(
    draw,
    value=ipywidgets.IntSlider(3, 0, 50, description="value"),
    how=ipywidgets.Dropdown(options=["quick", "slow", "wrong"], description="how"),
)
""",
    "len(drawn), drawn[-1]",
)


# -- JupyterLab -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Server:
    """A JupyterLab that runs on a folder of notebooks."""

    url: str
    token: str
    folder: Path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("lab")
    folder = root / "notebooks"
    folder.mkdir()
    for path in notebook_folder().glob("*.ipynb"):
        write_smoke_copy(path, folder / path.name)
    write_trial(folder / "trial.ipynb")
    process, found = start(root, folder)
    try:
        wait_for(found, process)
        yield found
    finally:
        process.terminate()
        process.wait(30)


def write_smoke_copy(source: Path, target: Path) -> None:
    """Copy a notebook with its profile set to smoke, as a student would type it."""
    notebook = nbformat.read(source, as_version=4)
    for cell in notebook.cells:
        if "parameters" in cell.metadata.get("tags", []):
            cell.source = cell.source.replace('profile = "quick"', 'profile = "smoke"')
    nbformat.write(notebook, target)


def write_trial(target: Path) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source.strip()) for source in TRIAL])
    notebook.metadata["kernelspec"] = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    nbformat.write(notebook, target)


def start(root: Path, folder: Path) -> tuple[subprocess.Popen, Server]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    found = Server(f"http://127.0.0.1:{port}", secrets.token_hex(16), folder)
    for name, text in SETTINGS.items():
        path = root / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    own = {name: str(root / name.lower()) for name in ("MER_STORE", "MER_CACHE", "JUPYTER_CONFIG_DIR", "IPYTHONDIR")}
    own |= {
        "JUPYTERLAB_SETTINGS_DIR": str(root / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(root / "workspaces"),
        "JUPYTER_RUNTIME_DIR": str(root / "runtime"),
        "MER_SYNTHETIC": str(root / "synthetic"),
    }
    options = [
        f"--ServerApp.port={port}", "--ServerApp.port_retries=0", "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.root_dir={folder}", f"--IdentityProvider.token={found.token}", "--ServerApp.open_browser=False",
        "--LabApp.extension_manager=readonly", "--ServerApp.allow_root=True",
    ]  # fmt: skip
    log = (root / "lab.log").open("w")
    command = [sys.executable, "-m", "jupyterlab", *options]
    return subprocess.Popen(command, env=os.environ | own, stdout=log, stderr=log, cwd=folder), found


def wait_for(found: Server, process: subprocess.Popen, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{found.url}/api/status?token={found.token}", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    pytest.fail(f"JupyterLab did not start: {(found.folder.parent / 'lab.log').read_text()[-3000:]}")


# -- a page -----------------------------------------------------------------------------------------------------------


@dataclass
class Notebook:
    """A notebook that is open in the browser."""

    page: object
    shots: Path
    name: str
    errors: list[str] = field(default_factory=list)

    def run_all(self, seconds: float = 300) -> None:
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        done = "() => {const p = [...document.querySelectorAll('.jp-CodeCell .jp-InputArea-prompt')]"
        done += ".map(e => e.innerText); return p.length && p.every(t => /\\[\\d+\\]:/.test(t))}"
        self.page.wait_for_function(done, timeout=seconds * SECOND)

    def cells(self, holding: str) -> list:
        """Code cells whose output holds what a selector finds."""
        return self.page.locator(".jp-CodeCell").filter(has=self.page.locator(f".jp-OutputArea {holding}")).all()

    def shot(self, what: str, of: object | None = None) -> None:
        self.shots.mkdir(parents=True, exist_ok=True)
        (of or self.page).screenshot(path=self.shots / f"{self.name}-{what}.png")

    def check(self) -> None:
        """Find no error: not among the outputs, not inside a widget, not in the console."""
        failed = self.page.locator('[data-mime-type="application/vnd.jupyter.error"]').all_inner_texts()
        assert failed == []
        assert self.page.locator('[data-mime-type="application/vnd.jupyter.stderr"]').all_inner_texts() == []
        assert [error for error in self.errors if not any(part in error for part in HARMLESS)] == []


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    with playwright.sync_playwright() as api:
        chromium = api.chromium.launch(**OPTIONS)
        yield chromium
        chromium.close()


@pytest.fixture
def open_notebook(server: Server, browser: object, tmp_path: Path) -> Iterator[object]:
    shots = Path(os.environ.get("MER_SCREENSHOTS") or tmp_path / "screenshots")
    page = browser.new_page(viewport={"width": 1280, "height": 1000})

    def opened(name: str) -> Notebook:
        notebook = Notebook(page, shots, name)
        page.on("console", lambda message: notebook.errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: notebook.errors.append(str(error)))
        page.goto(f"{server.url}/doc/tree/{name}.ipynb?token={server.token}")
        page.locator(".jp-CodeCell").first.wait_for(timeout=60 * SECOND)
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=60 * SECOND)
        return notebook

    yield opened
    page.close()


def picture(cell: object) -> str:
    """The bytes of a cell's figure, as its address holds them."""
    return cell.locator(PICTURE).first.get_attribute("src")


def wait_for_another(cell: object, before: str, seconds: float = 60) -> str:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if (now := picture(cell)) != before:
            return now
        cell.page.wait_for_timeout(20)
    raise AssertionError("the figure did not change")


def at_rest(cell: object, seconds: float = 90) -> str:
    """The picture of a cell once nothing is drawn any more; cells may share their controls."""
    end, now = time.monotonic() + seconds, ""
    while time.monotonic() < end:
        drawing = any(spinner.is_visible() for spinner in cell.page.get_by_text("drawing …").all())
        before, now = now, picture(cell)
        if before == now and not drawing:
            return now
        cell.page.wait_for_timeout(REST)
    raise AssertionError("the figures are drawn again and again")


def press(cell: object, key: str, times: int = 1) -> None:
    handle = cell.locator(".noUi-handle").first
    handle.scroll_into_view_if_needed()
    handle.focus()
    for _ in range(times):
        handle.press(key)


# -- tests ------------------------------------------------------------------------------------------------------------


def test_a_bound_figure_follows_announces_explains_and_never_queues_up(open_notebook) -> None:
    notebook = open_notebook("trial")
    notebook.run_all()
    (cell,) = notebook.cells(".noUi-handle")
    first = picture(cell)
    press(cell, "ArrowRight")
    second = wait_for_another(cell, first)
    menu = cell.locator("select").first
    menu.select_option("slow")
    spinner = cell.get_by_text("drawing …")
    spinner.wait_for(state="visible", timeout=5 * SECOND)
    notebook.shot("slow", cell)
    spinner.wait_for(state="hidden", timeout=10 * SECOND)
    press(cell, "ArrowRight", 20)  # each would take a second
    wait_for_another(cell, second, 5)
    spinner.wait_for(state="hidden", timeout=8 * SECOND)
    menu.select_option("wrong")
    cell.get_by_text("no face is found in this frame").wait_for(timeout=5 * SECOND)
    notebook.shot("wrong", cell)
    kept = picture(cell)
    menu.select_option("quick")
    cell.get_by_text("no face is found in this frame").wait_for(state="hidden", timeout=5 * SECOND)
    assert picture(cell).startswith("data:image/png")
    assert kept.startswith("data:image/png")
    notebook.check()


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs_and_its_figures_follow_sliders_and_menus(open_notebook, name: str) -> None:
    notebook = open_notebook(name)
    notebook.run_all()
    notebook.check()
    bound = [cell for cell in notebook.cells(PICTURE) if cell.locator(".widget-inline-hbox").count()]
    notebook.shot("page")
    moved = [move_slider(cell) for cell in bound]
    chosen = [choose_another(cell) for cell in bound]
    for number, cell in enumerate(bound):
        at_rest(cell)
        notebook.shot(f"figure{number}", cell.locator(".jp-Cell-outputWrapper"))
    assert any(moved)
    assert any(chosen)
    notebook.check()


def move_slider(cell: object) -> bool:
    """Move the first slider of a cell by one step, and see its figure change; False where it has no slider."""
    if not cell.locator(".noUi-handle").count():
        return False
    before = at_rest(cell)
    press(cell, "ArrowRight")
    wait_for_another(cell, before)
    return True


def choose_another(cell: object) -> bool:
    """Choose another option in the first menu of a cell that has one, and see its figure change."""
    menus = [menu for menu in cell.locator("select").all() if menu.locator("option").count() > 1]
    if not menus:
        return False
    before = at_rest(cell)
    menus[0].select_option(index=1 - (menus[0].evaluate("menu => menu.selectedIndex") == 1))
    wait_for_another(cell, before)
    return True
