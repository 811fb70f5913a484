"""The page in a real browser: it asks for nothing, complains of nothing, and can be read without JavaScript.

Skipped where there is no Chromium; CONTRIBUTING.md says how to get it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pages import SHAKY, STEADY, runs

from stabbench.gate.rules import Rules
from stabbench.report.page.build import runs_subject
from stabbench.report.page.html import write_page
from stabbench.report.page.make import page_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = os.environ.get("STABBENCH_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    api = pytest.importorskip("playwright.sync_api", reason="needs the package playwright: the group browser")
    with api.sync_playwright() as playwright:
        try:
            # Chromium's sandbox does not start under root, as in a container; the page is our own.
            started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        except api.Error as error:
            pytest.skip(f"no Chromium: {str(error).splitlines()[0]}")
        yield started
        started.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One page in one file, and as a folder."""
    folder = tmp_path_factory.mktemp("pages")
    hostile = "<script>alert(1)</script> " + "a-very-long-name-" * 12
    recipes = [runs("devlin", SHAKY), runs("mosbach", STEADY), runs(hostile, SHAKY[:5])]
    page = page_of(runs_subject(recipes, Rules(), ["a fact"], "stabbench report devlin mosbach"))
    write_page(page, folder / "page.html")
    write_page(page, folder / "folder")
    return folder


class Opened:
    """A page in the browser, and what it asked for and complained of."""

    def __init__(self, browser: Browser, file: Path, **settings: object) -> None:
        self.context = browser.new_context(**settings)  # type: ignore[arg-type]
        self.page: Page = self.context.new_page()
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        self.page.goto(file.as_uri())

    def __enter__(self) -> Opened:
        return self

    def __exit__(self, *error: object) -> None:
        self.context.close()

    def colour(self, selector: str, name: str) -> str:
        return str(self.page.locator(selector).first.evaluate(f"e => getComputedStyle(e)['{name}']"))


@pytest.mark.parametrize("javascript", [True, False])
def test_it_asks_for_nothing_and_complains_of_nothing(browser: Browser, pages: Path, javascript: bool) -> None:
    file = pages / "page.html"
    with Opened(browser, file, java_script_enabled=javascript) as opened:
        assert opened.requests == [file.as_uri()]
        assert opened.complaints == []
        for text in ("Verdict", "Scores", "Runs", "devlin: 10 runs, 5 failed"):
            assert opened.page.get_by_text(text).first.is_visible()
        for section in ("verdict", "scores", "curves", "gradients", "examples", "planning"):
            assert opened.page.locator(f"#{section} figure svg").count() >= 1


def test_the_folder_asks_for_its_style_only(browser: Browser, pages: Path) -> None:
    folder = pages / "folder"
    with Opened(browser, folder / "index.html") as opened:
        assert opened.requests == [(folder / name).as_uri() for name in ("index.html", "style.css")]
        assert opened.complaints == []
        assert opened.colour("figure svg .f-ok", "fill") == "rgb(11, 99, 197)"


def test_dark_and_light(browser: Browser, pages: Path) -> None:
    seen = {}
    for scheme in ("light", "dark"):
        with Opened(browser, pages / "page.html", color_scheme=scheme) as opened:
            parts = (("body", "backgroundColor"), ("body", "color"), ("figure svg text", "fill"))
            seen[scheme] = [opened.colour(*part) for part in parts]
            assert seen[scheme][1] == seen[scheme][2]
            for level in ("level0", "level7"):  # a map and its legend
                legend = opened.colour(f"#gradients .legend .f-{level}", "fill")
                assert opened.colour(f"#gradients figure .s-{level}", "stroke") == legend
    assert seen["light"][0] == seen["dark"][0].replace("20, 24, 29", "255, 255, 255")
    assert seen["light"][1] != seen["dark"][1]


@pytest.mark.parametrize("width", [320, 360, 1200])
def test_nothing_is_wider_than_the_screen(browser: Browser, pages: Path, width: int) -> None:
    """Wide tables scroll within themselves."""
    with Opened(browser, pages / "page.html", viewport={"width": width, "height": 700}) as opened:
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= width


def test_on_paper_it_is_light_and_no_table_is_cut(browser: Browser, pages: Path) -> None:
    a4 = {"width": 718, "height": 1047}  # without margins
    with Opened(browser, pages / "page.html", color_scheme="dark", viewport=a4) as opened:
        opened.page.emulate_media(media="print")
        assert opened.colour("body", "backgroundColor") == "rgb(255, 255, 255)"
        cut = "Array.from(document.querySelectorAll('.wide')).filter(e => e.scrollWidth > 719).length"
        assert opened.page.evaluate(cut) == 0
        assert opened.page.pdf(format="A4").startswith(b"%PDF")
