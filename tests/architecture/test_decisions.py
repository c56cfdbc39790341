"""Decision records: all in the index, all in the same form."""

import re
from pathlib import PurePosixPath

import pytest

from tests.architecture.checkout import read, repository_files

FOLDER = PurePosixPath("docs/decisions")
INDEX = FOLDER / "README.md"
HEADINGS = ["Context", "Choice", "What was measured", "How to check it"]
RECORDS = tuple(path for path in repository_files() if path.parent == FOLDER and path != INDEX)


def missing_headings(record: str) -> list[str]:
    found = re.findall(r"^## (.+)$", record, flags=re.MULTILINE)
    return [heading for heading in HEADINGS if heading not in found]


def linked_records(index: str) -> list[str]:
    return re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", index)


def test_index_links_every_record_once() -> None:
    assert sorted(linked_records(read(INDEX))) == sorted(path.name for path in RECORDS)


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.name)
def test_record_has_the_agreed_form(path: PurePosixPath) -> None:
    assert re.match(rf"# {path.name[:4]}\b", read(path))
    assert missing_headings(read(path)) == []


def test_record_without_measurement_is_reported() -> None:
    record = "# 0009 Title\n\n## Context\n\n## Choice\n\n## How to check it\n"

    assert missing_headings(record) == ["What was measured"]
