"""The mistakes in the configuration file that docs/configuration-errors.md lists: what is said stands there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.support.configuration_errors import Mistake, held, made, rows

if TYPE_CHECKING:
    from pathlib import Path

SECTION: Final = "The configuration file"

# Every mistake stands alone: the file is fine but for it.
FINE: Final = "authentication: {required: false}\n"

MISTAKES: Final = {
    "a key is spelt wrongly": "service:\n  mod: silent\n",
}


def test_every_row_of_the_configuration_file_is_tried_and_every_trial_stands_there() -> None:
    assert held(SECTION, MISTAKES) == set()


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake_in_the_configuration_file_is_told_as_the_page_says(
    mistake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    said = made(Mistake({"sii-cds.yaml": MISTAKES[mistake] + FINE}), tmp_path)

    assert said.lines == (rows(SECTION)[mistake].message,)
    assert said.exit_code == 1
