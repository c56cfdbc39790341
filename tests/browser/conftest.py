"""The demo as a newcomer starts it, and a browser that may talk to this machine only."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

COMMAND = Path(sys.executable).with_name("sii-cds")
# As root, Chromium has no sandbox to offer; the rest keeps it from calling home at start.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Demo(NamedTuple):
    """The addresses the command printed."""

    page: str
    service: str


class Watch(NamedTuple):
    """What a page did that nobody wants: console errors, and requests that left this machine."""

    errors: list[str]
    foreign: list[str]


@pytest.fixture(scope="session")
def demo() -> Iterator[Demo]:
    with subprocess.Popen(
        [COMMAND, "demo", "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            assert process.stdout is not None
            found: list[str] = []
            while len(found) < 2:
                line = process.stdout.readline()
                assert line, "the demo ended before it printed its addresses"
                found += re.findall(r"(http://127\.0\.0\.1:\d+\S*)", line) if "{" not in line else []
            yield Demo(found[0].rstrip("/"), found[1])
        finally:
            process.terminate()
            process.wait(timeout=30)


@pytest.fixture(scope="session")
def browser(chromium_path: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def watch() -> Watch:
    return Watch([], [])


@pytest.fixture
def page(browser: Browser, demo: Demo, watch: Watch) -> Iterator[Page]:
    """A laptop's window. The test fails when the page logged an error or asked another host for anything."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, base_url=demo.page)
    page = context.new_page()
    page.on("console", lambda message: watch.errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: watch.errors.append(str(error)))
    page.on("request", lambda r: None if r.url.startswith(demo.page) else watch.foreign.append(r.url))
    yield page
    context.close()
    assert watch == Watch([], [])
