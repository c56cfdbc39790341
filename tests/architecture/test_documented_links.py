"""Every link of the documentation to a file of the repository, or to a heading, leads somewhere."""

import re
from collections.abc import Callable
from pathlib import PurePosixPath
from posixpath import normpath

import pytest

from tests.architecture.checkout import read, repository_files

FILES = frozenset(str(path) for path in repository_files())
FOLDERS = frozenset(str(folder) for path in repository_files() for folder in path.parents)
DOCUMENTS = tuple(path for path in repository_files() if path.suffix == ".md")


def broken_links(path: PurePosixPath, text: str, read_text: Callable[[PurePosixPath], str] = read) -> list[str]:
    """Targets that are no file, no folder and no heading. Addresses of the web are not asked."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return [target for target in re.findall(r"\]\(([^)\s]+)\)", prose) if not _leads_somewhere(path, target, read_text)]


def _leads_somewhere(path: PurePosixPath, target: str, read_text: Callable[[PurePosixPath], str]) -> bool:
    if re.match(r"[a-z]+:", target):
        return True
    name, _, anchor = target.partition("#")
    found = normpath(path.parent / name) if name else str(path)
    if found not in FILES:
        return found in FOLDERS
    return not anchor or anchor in _anchors(read_text(PurePosixPath(found)))


def _anchors(text: str) -> set[str]:
    """How hosts of git repositories name headings: lower case, punctuation gone, blanks as hyphens."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_link_of_the_documentation_leads_somewhere(path: PurePosixPath) -> None:
    assert broken_links(path, read(path)) == []


@pytest.mark.parametrize(
    ("link", "broken"),
    [
        ("[a](../README.md)", []),
        ("[a](decisions/)", []),
        ("[a](#the-ehrs-side)", []),
        ("[a](https://example.org/none)", []),
        ("[a](nowhere.md)", ["nowhere.md"]),
        ("[a](#nothing)", ["#nothing"]),
        ("[a](../README.md#nothing)", ["../README.md#nothing"]),
    ],
)
def test_broken_link_is_named(link: str, broken: list[str]) -> None:
    path = PurePosixPath("docs/operations.md")

    assert broken_links(path, link) == broken
