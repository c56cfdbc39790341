"""sii-cds cohort assess: the rule as of then on every patient of an export, with what became of them."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

from cds_service.cli.given_files import hint_of_bundles
from cds_service.cli.options import config_option, load_or_defaults
from cds_service.errors import CohortInputError, CohortRunError, ConfigurationError, MissingExtraError
from cds_service.insight.cohort.designs import Design, parse_design
from cds_service.insight.sources.remote_files import is_address, parse_address
from cds_service.reports.counts import counted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from cds_service.insight.cohort.request import AssessRequest, AssessSummary
    from cds_service.insight.sources.remote_files import ExportPath

_DEFAULT_DESIGNS: Final = ("baseline", "landmark:90", "draw")
_LONGEST_DAYS: Final = 36_500
_MOST_WORKERS: Final = 64
_MEGABYTE: Final = 1_000_000
_WIDTH: Final = 24
# What shells add to the number of the signal that ended a command.
_SIGNALLED: Final = 128


class _DesignType(click.ParamType[Design]):
    """A design by its name."""

    name = "design"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Design:
        try:
            return value if isinstance(value, Design) else parse_design(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class _ExportType(click.ParamType[Any]):
    """A path of this machine that is there, or an address."""

    name = "export"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> ExportPath:
        if isinstance(value, str) and is_address(value):
            try:
                return parse_address(value)
            except ValueError as error:
                self.fail(str(error), param, ctx)
        path: Path = click.Path(exists=True, path_type=Path).convert(str(value), param, ctx)
        return path


@click.command("assess", no_args_is_help=True, epilog="Example: sii-cds cohort assess export/ --out cohort")
@click.argument("exports", metavar="EXPORT...", nargs=-1, required=True, type=_ExportType())
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Folder to make.")
@config_option
@click.option(
    "--design",
    "designs",
    multiple=True,
    type=_DesignType(),
    metavar="DESIGN",
    help="baseline, landmark:N or draw; may be repeated. Default: baseline, landmark:90 and draw.",
)
@click.option("--index", type=click.Choice(["first", "all"]), default="first", show_default=True, help="Procedures.")
@click.option(
    "--course-days",
    type=click.IntRange(0, _LONGEST_DAYS),
    metavar="DAYS",
    default=0,
    show_default=True,
    help="Procedures so many days apart or less are one course.",
)
@click.option(
    "--follow-up",
    type=click.IntRange(1, _LONGEST_DAYS),
    metavar="DAYS",
    default=1826,
    show_default=True,
    help="Longest follow-up from a decision.",
)
@click.option("--data-cutoff", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="Last day that counts.")
@click.option(
    "--outcomes",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="CSV of adjudicated events (patient, event, date), in place of codes.",
)
@click.option(
    "--audit",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Audit log whose decisions are joined with outcomes; may be repeated. Then no design is the default.",
)
@click.option(
    "--identifiers", type=click.Choice(["pseudonym", "plain"]), default="pseudonym", show_default=True, help="Patients."
)
@click.option(
    "--workers", type=click.IntRange(1, _MOST_WORKERS), metavar="N", default=1, show_default=True, help="Processes."
)
@click.option(
    "--engine", type=click.Choice(["local", "spark"]), default="local", show_default=True, help="How it is run."
)
def assess_command(config_file: Path | None, **options: Any) -> None:
    """Assess every patient of an export as the bedside rule would have, as of then.

    EXPORT are folders or files of a FHIR Bulk Data export (NDJSON, also gzip), or its manifest. DIR appears whole or
    not at all; `sii-cds cohort validate DIR` makes figures of it. Exit code 1 when a part of the input is missing.

    \b
    Example:
      sii-cds cohort assess export/ --out assessed --workers 2 --config sii-cds.yaml
    """
    from cds_service.insight.cohort.request import AssessRequest

    audit = options["audit"]
    designs = options["designs"] or (() if audit else tuple(map(parse_design, _DEFAULT_DESIGNS)))
    request = AssessRequest(
        exports=options["exports"],
        out=options["out"],
        settings=load_or_defaults(config_file),
        designs=tuple({design.name: design for design in designs}.values()),
        only_first=options["index"] == "first",
        course=timedelta(days=options["course_days"]),
        follow_up=timedelta(days=options["follow_up"]),
        data_cutoff=_day(options["data_cutoff"]),
        outcomes=options["outcomes"],
        audit=audit,
        plain=options["identifiers"] == "plain",
        workers=options["workers"],
        engine=options["engine"],
    )
    summary = _assessed(request)
    _show(summary, request.out)
    if summary.findings.incomplete:
        raise click.exceptions.Exit(1)


def _assessed(request: AssessRequest) -> AssessSummary:
    from cds_service.insight.cohort.assess_run import assess_export

    try:
        with _ended_by_signals():
            return assess_export(request, _Bar())
    except CohortInputError as error:
        raise click.UsageError(f"{error}{hint_of_bundles(request.exports)}") from None
    except (ConfigurationError, MissingExtraError) as error:
        raise click.UsageError(str(error)) from None
    except CohortRunError as error:
        raise click.ClickException(f"{error}{hint_of_bundles(request.exports)}") from None


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let whoever ends the run with SIGTERM leave it the time to take away what it has written."""
    before = signal.signal(signal.SIGTERM, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(_SIGNALLED + number)


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment is not None else None


def _show(summary: AssessSummary, out: Path) -> None:
    tally = summary.tally
    without = tally.patients - tally.with_index_procedure
    click.echo(f"{counted(tally.patients, 'patient')} read, {without:,} of them without an index procedure.")
    for design, flow in summary.flow.items():
        click.echo(f"\n{design}: {counted(flow['index_procedures'], 'index procedure')}")
        for outcome, number in flow["outcomes"].items():
            click.echo(f"  {number:>9,}  {outcome.replace(':', ': ', 1).replace(',', ', ')}")
    for sentence in (*summary.findings.incomplete, *summary.findings.notes):
        click.echo(sentence, err=True)
    click.echo(f"\nWritten to {out}.")


class _Bar:
    """A line on stderr with bytes, patients and time left, while somebody can see it."""

    def __init__(self) -> None:
        self._is_shown = sys.stderr.isatty()
        self._what = ""
        self._size = 0
        self._began = 0.0

    def begin(self, what: str, size: int) -> None:
        """Begin a step over so many bytes."""
        self._what, self._size, self._began = what, size, time.monotonic()
        self.show(0, 0)

    def show(self, size: int, patients: int) -> None:
        """Show the step so far."""
        if not self._is_shown:
            return
        share = min(size / self._size, 1.0) if self._size else 1.0
        full = round(share * _WIDTH)
        bar = "#" * full + "-" * (_WIDTH - full)
        amount = f"{size / _MEGABYTE:,.0f} of {self._size / _MEGABYTE:,.0f} MB"
        told = f", {counted(patients, 'patient')}" if patients else ""
        text = f"{self._what} [{bar}] {amount}{told}{self._left(share)}"
        columns = os.get_terminal_size(sys.stderr.fileno()).columns or 80
        click.echo(f"\r{text[: columns - 1]:<{columns - 1}}", nl=False, err=True)

    def end(self) -> None:
        """End the step."""
        if self._is_shown:
            click.echo("", err=True)

    def _left(self, share: float) -> str:
        elapsed = time.monotonic() - self._began
        if share < 0.01 or elapsed < 1:
            return ""
        seconds = round(elapsed / share - elapsed)
        return f", {seconds // 60}:{seconds % 60:02d} left"
