"""From a report's content to one HTML document that runs nothing, loads nothing and asks nobody."""

from __future__ import annotations

import base64
import hashlib
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cds_service.reports.charts import Chart, data_table
from cds_service.reports.content import Figures, Listing, Notice, Page, Points, Table
from cds_service.reports.drawing import draw_chart
from cds_service.reports.palette import class_rules

_STYLES: Final = ("page.css", "report.css")


def render_page(page: Page) -> str:
    """Return the whole document.

    Raises MissingExtraError when the page has a chart and matplotlib is not installed, ValueError when two sections
    or charts have the same id.
    """
    _check_ids(page)
    environment = Environment(
        loader=PackageLoader("cds_service.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = "".join(environment.get_template(name).render() for name in _STYLES) + class_rules()
    return environment.get_template("report.html").render(
        page=page,
        style=Markup(style),  # noqa: S704 - the package's own style sheets
        policy=content_security_policy(style),
        block_kind=block_kind,
        data_table=data_table,
        drawn=lambda chart: Markup(draw_chart(chart)),  # noqa: S704 - serialized by the XML writer
    )


def content_security_policy(style: str) -> str:
    """Return a policy that allows this style sheet and nothing else."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"


def block_kind(block: Table | Figures | Points | Listing | Notice | Chart) -> str:
    """Name the template's branch for a block."""
    match block:
        case Table():
            return "table"
        case Figures():
            return "figures"
        case Points():
            return "points"
        case Listing():
            return "listing"
        case Notice():
            return "notice"
        case _:
            return "chart"


def _check_ids(page: Page) -> None:
    ids = [section.id for section in page.sections]
    ids += [block.id for section in page.sections for block in section.blocks if isinstance(block, Chart)]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        raise ValueError(f"ids of sections and charts stand twice on the page: {', '.join(twice)}")
