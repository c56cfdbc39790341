"""The short form of the soak: everything once or more, within the same bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.endurance.soak import soak
from tests.endurance.traffic import KINDS
from tests.endurance.watching import growth

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 8


@pytest.mark.timeout(240)
def test_service_under_mixed_traffic_stays_within_its_bounds(tmp_path: Path) -> None:
    result, problems = soak(tmp_path, SECONDS)

    assert problems == []
    assert {kind.__name__ for kind in KINDS} - {"reset"} <= {name.split()[0] for name in result.statuses}
    assert result.reloads >= 1


@pytest.mark.parametrize(
    ("values", "expected", "reason"),
    [
        ([50.0] * 10, 0.0, "steady"),
        ([10.0, 20.0, *[50.0] * 8], 0.0, "warming up is no growth"),
        ([float(number) for number in range(10)], 6.0, "a leak"),
        ([70.0], 0.0, "one sample tells nothing"),
    ],
)
def test_growth_is_what_comes_after_warming_up(values: list[float], expected: float, reason: str) -> None:
    assert growth(values) == pytest.approx(expected), reason
