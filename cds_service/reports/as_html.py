"""A document as one HTML page that runs nothing, loads nothing and asks nobody."""

from __future__ import annotations

import base64
import hashlib
from itertools import groupby
from typing import TYPE_CHECKING, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cds_service.reports.draw import draw_plot
from cds_service.reports.inline_svg import class_rules
from cds_service.reports.plot_tables import data_table
from cds_service.reports.plots import Plot

if TYPE_CHECKING:
    from cds_service.reports.content import Block, Document, Section

_STYLES: Final = ("page.css", "report.css")


def as_html(document: Document) -> str:
    """Return the whole page.

    Raises MissingExtraError when the document has a plot and matplotlib is not installed, ValueError when two sections
    or plots have the same id.
    """
    _check_ids(document)
    environment = Environment(
        loader=PackageLoader("cds_service.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = "".join(environment.get_template(name).render() for name in _STYLES) + class_rules()
    return environment.get_template("report.html").render(
        document=document,
        style=Markup(style),  # noqa: S704 - the package's own style sheets
        policy=content_security_policy(style),
        parts_of=_parts,
        data_table=data_table,
        drawn=lambda plot: Markup(draw_plot(plot)),  # noqa: S704 - serialized by the XML writer
    )


def content_security_policy(style: str) -> str:
    """Return a policy that allows this style sheet and nothing else."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"


def _parts(section: Section) -> list[tuple[str, list[Block]]]:
    """Return the blocks by the template's branch for them; plots that follow each other stand side by side."""
    return [(kind, list(blocks)) for kind, blocks in groupby(section.blocks, key=_kind)]


def _kind(block: Block) -> str:
    return "plot" if isinstance(block, Plot) else type(block).__name__.lower()


def _check_ids(document: Document) -> None:
    ids = [section.id for section in document.sections]
    ids += [block.id for section in document.sections for block in section.blocks if isinstance(block, Plot)]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        raise ValueError(f"ids of sections and plots stand twice in the document: {', '.join(twice)}")
