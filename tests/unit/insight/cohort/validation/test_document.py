"""The document of a validation: the answer first, plots with a table each, and every design, recorded ones too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cds_service.insight.cohort.validation.cohort import read_cohort
from cds_service.insight.cohort.validation.document import cohort_document
from cds_service.insight.cohort.validation.tripod import tripod_items
from cds_service.insight.cohort.validation.validate import Wanted, validate
from cds_service.reports.as_text import as_text
from cds_service.reports.content import Table
from cds_service.reports.plot_tables import data_table
from cds_service.reports.plots import Plot
from tests.support.cohort.assessed_folders import drawn_rows, write_folder

if TYPE_CHECKING:
    from pathlib import Path

    from cds_service.reports.content import Document


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Document:
    rows = drawn_rows(300, 2, ("baseline", "recorded"))
    folders = [write_folder(tmp_path_factory.mktemp("made") / name, rows) for name in ("north", "south")]
    lines = "record,explanation\n" + "1,other-version\n" * 12 + "2,unexplained\n" * 3 + "3,other-results\n" * 14
    (folders[0] / "disagreements.csv").write_text(lines, encoding="utf-8")
    return cohort_document(validate(read_cohort(folders, None), Wanted(resamples=20)), "1.2.3")


def test_document_begins_with_the_answer_and_ends_with_what_it_rests_on(document: Document) -> None:
    names = [section.id for section in document.sections]

    assert names[0] == "answer"
    assert names[-3:] == ["limits", "tripod", "basis"]
    assert {"subgroups", "sites", "designs", "recorded-design", "disagreements"} <= set(names)
    assert "1.2.3" in document.footer


def test_document_every_plot_has_a_table_and_says_what_it_does_not_show(document: Document) -> None:
    plots = [block for section in document.sections for block in section.blocks if isinstance(block, Plot)]

    assert len(plots) >= 5
    assert [plot.id for plot in plots if "not show" not in plot.description] == []
    assert [plot.id for plot in plots if not data_table(plot).rows] == []


def test_document_tables_and_plots_are_told_apart_by_their_titles(document: Document) -> None:
    blocks = [block for section in document.sections for block in section.blocks]
    titles = [b.caption if isinstance(b, Table) else b.title for b in blocks if isinstance(b, (Table, Plot))]

    assert sorted(titles) == sorted(set(titles))


def test_document_disagreements_are_told_by_explanation_without_small_counts(document: Document) -> None:
    (section,) = (section for section in document.sections if section.id == "disagreements")
    (table,) = section.blocks

    assert isinstance(table, Table)
    assert table.rows == (("other-results", "14"), ("other-version", "–"), ("unexplained", "–"))


def test_document_as_text_fits_a_terminal_and_leaves_the_checklist_to_the_page(document: Document) -> None:
    text = as_text(document, 80)

    assert max(map(len, text.splitlines())) <= 80
    assert "recorded decisions" in text
    assert f"and {len(tripod_items())} more" in text


def test_tripod_items_are_those_of_the_checklist_each_with_a_place() -> None:
    """27 items of TRIPOD+AI, some in parts: 52 lines."""
    items = tripod_items()

    assert len(items) == len({item.item for item in items}) == 52
    assert {int(item.item.rstrip("abcdefg")) for item in items} == set(range(1, 28))
    assert all(item.section and item.topic and item.where for item in items)


def test_document_nobody_followed_says_so_and_draws_what_there_is(tmp_path: Path) -> None:
    rows = [row._replace(event=0, time=5) if row.entered else row for row in drawn_rows(100, 2, ("baseline",))]
    validation = validate(read_cohort([write_folder(tmp_path / "made", rows)], None), Wanted(resamples=20))
    made = cohort_document(validation, "1.2.3")
    text = as_text(made, 80)
    plots = {b.id: b for section in made.sections for b in section.blocks if isinstance(b, Plot)}

    assert "Too few events" in text
    assert "No cut-off can be told of." in text
    assert plots["roc"].description.endswith("too few, or of one kind only.")
    assert not plots["flow"].description.endswith("of one kind only.")
