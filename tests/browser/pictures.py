"""The pictures of the documentation, taken by the tests that look at what they show.

`SII_CDS_KEEP_PICTURES=1 make test ARGS="tests/browser"` writes them anew: look at them before they are committed.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.architecture.checkout import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

IMAGES = ROOT / "docs" / "images"


def keep_picture(shown: Page | Locator, name: str) -> None:
    """Write what a page shows in its window, or a part of it, as a picture of the documentation, if asked to."""
    if os.environ.get("SII_CDS_KEEP_PICTURES"):
        shown.screenshot(path=IMAGES / name)
