"""The report in a browser: it draws itself without complaint, fits a telephone, and prints what was folded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chromium import MARKS, OPTIONS
from tests.helpers import some, take
from tests.report_pages import _no_pictures, html_of, missing

playwright = pytest.importorskip("playwright.sync_api")

__all__ = ["_no_pictures"]
pytestmark = MARKS


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder: Path = tmp_path_factory.mktemp("report")
    measured = take(some("lab.first_comparison", "class prior", "linear SVM", "STSTNet"), folder / "store")
    (folder / "report.html").write_text(html_of(missing("htnet.table2"), measured), "utf-8")
    return (folder / "report.html").as_uri()


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    with playwright.sync_playwright() as api:
        chromium = api.chromium.launch(**OPTIONS)
        yield chromium
        chromium.close()


def opened(browser: object, address: str, width: int) -> tuple[object, list[str]]:
    page, complaints = browser.new_page(viewport={"width": width, "height": 900}), []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on(
        "request",
        lambda request: None if request.url[:5] in ("file:", "data:", "blob:") else complaints.append(request.url),
    )
    page.goto(address)
    return page, complaints


def test_figures_are_drawn_when_they_are_looked_at(browser: object, address: str) -> None:
    page, complaints = opened(browser, address, 1400)
    plots = page.locator("figure.plot")
    assert plots.count() == 3
    for number in range(3):
        plots.nth(number).scroll_into_view_if_needed()
        plots.nth(number).locator(".main-svg").first.wait_for()
        assert not plots.nth(number).locator(".still").is_visible()
    assert complaints == []
    page.close()


def test_nothing_sticks_out_on_a_telephone(browser: object, address: str) -> None:
    page, complaints = opened(browser, address, 400)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    assert not page.locator("nav details").evaluate("part => part.open")
    assert complaints == []
    page.close()


def test_print_unfolds_what_is_folded_and_shows_pictures_for_figures(browser: object, address: str) -> None:
    page, _ = opened(browser, address, 1400)
    folded = "[...document.querySelectorAll('main details')].filter(part => !part.open).length"
    assert page.evaluate(folded) > 5
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate(folded) == 0
    page.emulate_media(media="print")
    assert not page.locator("nav").is_visible()
    assert page.locator("figure.plot .live:visible").count() == 0
    assert page.locator("figure.plot .still").first.evaluate("picture => getComputedStyle(picture).display") == "block"
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(folded) > 5
    page.close()
