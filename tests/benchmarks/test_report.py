"""What the benchmark says of its measurements: medians of ratios within a round, and a page that keeps its own text."""

from pathlib import Path

import pytest

from tests.benchmarks.curves import Curve
from tests.benchmarks.document import BEGIN, END, write
from tests.benchmarks.load import Load
from tests.benchmarks.report import ratios, spread, targets
from tests.benchmarks.rounds import FLOOR, FLOOR_RECORDED, OWN, Findings, Measured, Work

TWELVE = Work(12, eligible=True, connections=1)


def findings(own_ms: list[float], floor_ms: list[float]) -> Findings:
    found = Findings()
    for name, values in ((OWN, own_ms), (FLOOR, floor_ms), (FLOOR_RECORDED, floor_ms)):
        found.loads[name, TWELVE] = [Measured(ms, 100, Load(100, 0, ms, ms, ms)) for ms in values]
        found.start_seconds[name] = found.worker_megabytes[name] = found.hooked_megabytes[name] = [1.0]
    for algorithm in ("RS384", "ES384"):
        found.bare_check_ms[algorithm] = [0.5] * len(own_ms)
        found.loads[f"{OWN}, {algorithm}", TWELVE] = found.loads[OWN, TWELVE]
    return found


@pytest.mark.parametrize(
    ("own_ms", "floor_ms", "is_kept", "reason"),
    [
        ([1.8, 3.6, 5.4], [1.0, 2.0, 3.0], True, "a busy round slows both, so its ratio is that of a quiet one"),
        ([1.5, 1.9, 2.0], [1.0, 1.0, 1.0], False, "the median of 1.9 is above 1.8"),
        ([1.0, 1.0, 9.0], [1.0, 1.0, 1.0], True, "one disturbed round does not decide"),
    ],
)
def test_target_is_judged_by_the_median_of_ratios(
    own_ms: list[float], floor_ms: list[float], is_kept: bool, reason: str
) -> None:
    first = next(targets(findings(own_ms, floor_ms)))

    assert first.is_kept is is_kept, reason


def test_ratio_of_rounds_that_do_not_belong_together_is_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        ratios([1.0, 2.0], [1.0])


def test_spread_names_median_lowest_and_highest() -> None:
    assert spread([3.0, 1.0, 2.0]) == "2.00 (1.00 to 3.00)"


@pytest.mark.parametrize(
    ("values", "slope", "reason"),
    [
        ([9, 5, 10, 100], 1.0, "ten times the size costs ten times as much; the lower half does not count"),
        ([1, 1, 7, 7], 0.0, "the upper half costs no more"),
    ],
)
def test_slope_is_the_exponent_over_the_upper_half(values: list[float], slope: float, reason: str) -> None:
    curve = Curve("log", "records", "s", (1, 10, 100, 1000), values)

    assert curve.slope(values) == pytest.approx(slope), reason


def test_page_keeps_what_stands_outside_the_marks(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text(f"# Performance\n\n{BEGIN}\nold\n{END}\n\n## Fetching\n", encoding="utf-8")

    write(page, "new")

    assert page.read_text(encoding="utf-8") == f"# Performance\n\n{BEGIN}\n\nnew\n{END}\n\n## Fetching\n"
