"""A tab of a real browser, and the keys that are pressed in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="needs the `browser` extra")

CHROMIUM = Path("/usr/bin/chromium")
SWITCHES = (
    "--no-sandbox",
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def chromium() -> Iterator[Any]:
    """Debian's browser, or a test that says what it needs."""
    if not CHROMIUM.exists():
        pytest.skip(f"needs Debian's chromium at {CHROMIUM}")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(SWITCHES))
        yield started
        started.close()


def opened_page(browser: Any, link: str, *, wide: int = 1280, **context: Any) -> Any:
    """A tab of its own; what its console says is kept in `said`."""
    page = browser.new_context(viewport={"width": wide, "height": 900}, **context).new_page()
    page.said = []
    page.on("console", lambda message: page.said.append(message.text))
    page.on("pageerror", lambda error: page.said.append(str(error)))
    page.goto(link)
    return page


def press(page: Any, *keys: str) -> None:
    """Press keys, one after the other."""
    for key in keys:
        page.keyboard.press(key)


def leave(page: Any, key: str) -> None:
    """Press a key that leads elsewhere, and wait for what comes."""
    page.evaluate("document.querySelector('main').dataset.old = '1'")
    press(page, key)
    page.wait_for_selector("main:not([data-old])", state="attached")
