"""What the service says over HTTP, and the lines it records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.golden.kept import compare, pretty
from tests.golden.site import GoldenSite, answered

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("service")


@pytest.fixture(scope="module")
def site(folder: Path) -> GoldenSite:
    return GoldenSite(folder)


@pytest.fixture(scope="module")
def answers(site: GoldenSite) -> dict[str, Any]:
    return answered(site)


def test_answers_to_hooks_and_feedback_are_as_kept(answers: dict[str, Any]) -> None:
    compare("answers.json", pretty(answers))


def test_audit_records_are_as_kept(folder: Path, answers: dict[str, Any]) -> None:
    assert answers
    lines = "".join(path.read_text(encoding="utf-8") for path in sorted((folder / "audit").glob("*.jsonl")))

    compare("audit.jsonl", lines)


@pytest.mark.parametrize(
    ("path", "name"),
    [("/cds-services", "discovery.json"), ("/model-card", "model-card.json")],
)
def test_document_is_as_kept(site: GoldenSite, path: str, name: str) -> None:
    answer = site.http.get(path, headers={"Accept": "application/json"})

    compare(name, pretty(answer.get_json()))


def test_metrics_are_as_kept_but_for_values(site: GoldenSite, answers: dict[str, Any]) -> None:
    assert answers
    text = site.http.get("/metrics").get_data(as_text=True)
    lines = (line if line.startswith("#") else line.rpartition(" ")[0] for line in text.splitlines())

    compare("metrics.txt", "\n".join(lines) + "\n", {r"(?m)^(process_|python_).*\n": ""})
