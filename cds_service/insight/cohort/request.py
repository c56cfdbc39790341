"""What `cohort assess` is asked for, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from datetime import date, timedelta
    from pathlib import Path

    from cds_service.insight.cohort.designs import Design
    from cds_service.insight.cohort.tally import Tally
    from cds_service.insight.sources.remote_files import ExportPath
    from cds_service.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessRequest:
    """An export to assess into a folder. `designs` are empty where only recorded decisions are wanted.

    `plain` keeps the ids of patients. `data_cutoff` is the last day that counts. `outcomes` is a file of adjudicated
    ones, `audit` are folders of audit logs.
    """

    exports: tuple[ExportPath, ...]
    out: Path
    settings: Settings
    designs: tuple[Design, ...]
    only_first: bool
    course: timedelta
    follow_up: timedelta
    data_cutoff: date | None
    outcomes: Path | None
    audit: tuple[Path, ...]
    plain: bool
    workers: int
    engine: Literal["local", "spark"] = "local"


@dataclass(slots=True)
class Findings:
    """What is not as it should be, each in a sentence: `incomplete` input, and `notes` on what was read."""

    incomplete: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class AssessSummary:
    """What came of a run."""

    tally: Tally
    flow: dict[str, Any]
    bad_lines: int
    findings: Findings


class Progress(Protocol):
    """Is told how far a run is."""

    def begin(self, what: str, size: int) -> None:
        """Begin a step over so many bytes."""

    def show(self, size: int, patients: int) -> None:
        """Show bytes and patients of the step so far."""

    def end(self) -> None:
        """End the step."""
