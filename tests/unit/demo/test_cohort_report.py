"""The kept report of a synthetic cohort is what `cohort validate` would write today, and the demo shows it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cds_service.demo.cohort_report import kept_report
from tests.support.cohort.kept_report import demonstration_report

if TYPE_CHECKING:
    from flask.testing import FlaskClient


def test_kept_report_is_made_anew_to_the_byte() -> None:
    """Where the report was changed on purpose: python -m tests.support.cohort.kept_report."""
    assert kept_report() == demonstration_report()


def test_kept_report_stands_alone_and_names_nobody() -> None:
    page = kept_report()
    addresses = set(re.findall(r"[a-z]+://[^\s\"<)]+", page))

    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert page.count("<svg") >= 5
    assert not re.search(r"\b\d{4}-\d{2}-\d{2}\b", page)
    assert "<script" not in page


def test_report_is_one_click_from_the_list_and_keeps_its_own_policy(browser: FlaskClient) -> None:
    answer = browser.get("/")
    found = re.search(r'href="([^"]+)">How the rule does on a whole cohort', answer.text)
    assert found

    report = browser.get(found[1])

    assert (report.status_code, report.mimetype) == (200, "text/html")
    assert report.text == kept_report()
    policy = report.headers["Content-Security-Policy"]
    assert "style-src 'sha256-" in policy
    assert "frame-ancestors 'none'" in policy
    assert report.headers["X-Content-Type-Options"] == "nosniff"
