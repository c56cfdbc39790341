"""The charts of the oracle that hold one draw with more than three results: methods, shares, parts."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from tests.clinical.oracle.cases import chart

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.clinical.oracle.judgement import Case


def cases_of_differentials() -> dict[str, Iterator[Case]]:
    """All charts of one differential, by their kind."""
    return {"method": methods(), "basis": bases(), "part": parts(), "whole": whole()}


def differential(why: str, words: str) -> Case:
    """A chart of one draw: "P=100 N=6 L=1 Nm=5"."""
    return chart(why, "- - -", "- - -", drawn="2026-10-14")._replace(differential=words)


def methods() -> Iterator[Case]:
    for automated, manual in product(
        ("N=6 L=1", "N=4 L=1", "N=4", "L=1", ""), ("Nm=5 Lm=1", "Nm=3 Lm=1", "Nm=6", "Lm=2")
    ):
        if "N" in automated + manual and "L" in automated + manual:
            yield differential("two methods", f"P=100 {automated} {manual}")


def bases() -> Iterator[Case]:
    for counts, shares in product(
        ("N=6 L=1", "N=4.1 L=1", "Nm=6 Lm=1"), ("N%=60 L%=10", "N%=60 L%=15", "N%=60 L%=12", "Nm%=60 Lm%=15", "N%=60")
    ):
        yield differential("counts and shares", f"P=100 {counts} {shares}")


def parts() -> Iterator[Case]:
    for total, segmented, bands, variants in product(
        ("N%=60 L%=15", "Nm%=60 Lm%=15", "L%=15"), ("", "S%=40", "Sm%=60"), ("", "B%=20", "Bm%=0"), ("", "V%=5")
    ):
        if "N" in total or (segmented and bands):
            yield differential("parts of the whole", f"P=95 {total} {segmented} {bands} {variants}")
    yield differential("segmented forms without bands", "P=95 L%=15 S%=60")


def whole() -> Iterator[Case]:
    for neutrophils, bands, lymphocytes in ((70, 20, 11), (70, 20, 12), (60, 26, 15), (60, 27, 15), (50, 40, 10)):
        yield differential("about 101 %", f"P=100 N%={neutrophils} B%={bands} L%={lymphocytes}")
        yield differential("of counts the whole is not known", f"P=100 N={neutrophils} B={bands} L={lymphocytes}")
