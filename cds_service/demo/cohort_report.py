"""The kept report of a synthetic cohort: what `sii-cds cohort validate` writes, one click from the list of patients.

It is kept, since making it takes scipy, matplotlib and seconds: `tests/support/cohort/kept_report.py` makes it anew.
"""

from __future__ import annotations

import gzip
import re
from functools import cache
from importlib.resources import files
from typing import Final

from flask import Response

FILE: Final = "cohort_report.html.gz"
_POLICY: Final = re.compile('<meta http-equiv="Content-Security-Policy" content="([^"]+)">')


@cache
def kept_report() -> str:
    """Return the page."""
    return gzip.decompress(files(__package__).joinpath(FILE).read_bytes()).decode()


def show_report() -> Response:
    """Answer with the page and with the policy that it states of itself: its style stands within it."""
    page = kept_report()
    stated = _POLICY.search(page)
    if stated is None:
        raise ValueError(f"{FILE} states no Content-Security-Policy")
    response = Response(page, mimetype="text/html")
    response.headers["Content-Security-Policy"] = f"{stated[1].replace('&#39;', chr(39))}; frame-ancestors 'none'"
    return response
