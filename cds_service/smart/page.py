"""From a view to its page, and from a refusal to a small one: HTML that runs two lines of its own and loads nothing."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cds_service.cards.wording import trend_texts_in
from cds_service.reports.timeline.panels import panels_style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cds_service.decision.site import Site
    from cds_service.smart.view import View

# A page of a patient must not come back with the browser's back button, which no header prevents.
_SCRIPT: Final = (
    'addEventListener("pagehide", () => document.documentElement.replaceChildren());\n'
    'addEventListener("pageshow", (event) => event.persisted && location.reload());\n'
)


class PageWriter:
    """Writes the pages of one site."""

    def __init__(self, site: Site) -> None:
        """Keep what the pages are written by, and read it now: the first page waits for nothing.

        What only pages need, such as the reader of markdown, is loaded by the sites that have a trend app.
        """
        from cds_service.smart.page_content import page_content

        self._site = site
        self._content = page_content
        self._template = _environment().get_template("trend.html")

    def write(self, view: View) -> str:
        """Return the page of a view."""
        language = self._site.cards.language
        return self._template.render(
            page=self._content(view, self._site),
            texts=trend_texts_in(language),
            language=language,
            style=_style(),
            script=Markup(_SCRIPT),  # noqa: S704 - of this file
        )


def refusal_page(status: int, reason: str, named: Sequence[str], request_id: str, language: str) -> str:
    """Return the page of a launch that has none: why, and what to do."""
    texts = trend_texts_in(language)
    other = "malformed-launch" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "unavailable"
    sentence = texts.refusals.get(reason, texts.refusals[other])
    return (
        _environment()
        .get_template("refused.html")
        .render(
            texts=texts,
            language=language,
            reason=reason,
            sentence=sentence.format(named=", ".join(named)),
            request_line=texts.request_line.format(id=request_id),
            style=_style(),
        )
    )


def content_security_policy(frame_ancestors: Sequence[str]) -> str:
    """Return the policy of the pages: their own style and script, and nothing from anywhere."""
    ancestors = " ".join(frame_ancestors) or "'none'"
    return (
        f"default-src 'none'; style-src {_digest(_style())}; script-src {_digest(_SCRIPT)}; "
        f"base-uri 'none'; form-action 'none'; frame-ancestors {ancestors}"
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("cds_service.smart"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _style() -> Markup:
    # The package's own style sheets.
    return Markup(_environment().get_template("trend.css").render() + panels_style())  # noqa: S704


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
