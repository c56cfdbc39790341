"""From measurements to a table: every figure is a ratio to the floor of the same round, with its spread."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Row:
    """One thing measured: the ratio service / floor of each round, and what the design asks for."""

    what: str
    ratios: Sequence[float]
    at_most: float | None = None

    def as_markdown(self) -> str:
        """A line of the table."""
        middle = median(self.ratios)
        spread = f"{min(self.ratios):.2f}-{max(self.ratios):.2f}"
        if self.at_most is None:
            return f"| {self.what} | {middle:.2f} | {spread} | | |"
        verdict = "kept" if middle <= self.at_most else "MISSED"
        return f"| {self.what} | {middle:.2f} | {spread} | {self.at_most:.2f} | {verdict} |"


def as_markdown(rows: Sequence[Row], conditions: str) -> str:
    """The whole report."""
    lines = [
        "# Speed of the service beside the bare floor",
        "",
        conditions,
        "",
        "| service / floor | median | spread over the rounds | at most | |",
        "|---|---|---|---|---|",
        *(row.as_markdown() for row in rows),
    ]
    return "\n".join(lines) + "\n"
