"""sii-cds audit search: who asked about whom, what was decided, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cds_service.audit.presentation import Totals, as_json, as_row, csv_rows, heading
from cds_service.audit.records import OUTCOMES
from cds_service.audit.search import (
    Concealed,
    Found,
    Query,
    Unreadable,
    encounter_forms,
    ids_of,
    patient_forms,
    search,
)
from cds_service.audit.users import user_forms
from cds_service.cli.audit_log import (
    check_log_client,
    fail,
    find_filled_log,
    log_options,
    period,
    period_options,
    refuse_log,
)
from cds_service.cli.files import STANDARD_OUTPUT, open_whole
from cds_service.cli.shown import csv_option

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cds_service.cli.audit_log import Log


def _not_empty(_context: click.Context, _parameter: click.Parameter, text: str | None) -> str | None:
    """Refuse an empty text, such as of an unset variable: it would match what has none."""
    if text is not None and not text.strip():
        raise click.BadParameter("is empty")
    return text


@click.command("search", epilog="Example: sii-cds audit search --patient 123 --since 2026-11-01")
@log_options
@click.option(
    "--patient",
    callback=_not_empty,
    metavar="ID",
    help="FHIR id of the patient, also where the log holds pseudonyms.",
)
@click.option("--user", callback=_not_empty, metavar="REFERENCE", help="Who asked, such as Practitioner/example.")
@click.option("--client", metavar="NAME", help="The EHR by its name in the configuration.")
@click.option("--encounter", callback=_not_empty, metavar="ID", help="FHIR id of the encounter, kept like a patient's.")
@click.option("--request", callback=_not_empty, metavar="ID", help="Request id or hook instance.")
@click.option("--card", callback=_not_empty, metavar="UUID", help="The card, its feedback, and pages opened from it.")
@click.option("--reason", callback=_not_empty, metavar="CODE", help="Code of a reason, of the outcome or an override.")
@click.option("--shown", is_flag=True, help="Only cards and pages that were shown.")
@period_options
@click.option("--outcome", type=click.Choice(OUTCOMES), help="Of a hook call, or of feedback.")
@click.option("--json", "json_lines", is_flag=True, help="Print JSON Lines with all that is recorded.")
@csv_option
def search_command(
    config_file: Path | None,
    directory: Path | None,
    key_files: tuple[Path, ...],
    json_lines: bool,
    csv_file: Path | None,
    **conditions: Any,
) -> None:
    """Find hook calls, views and feedback; all conditions given must hold.

    Totals go to standard error. Times are those of service.timezone, also where none is given. Exit code 1 when a line
    of the log cannot be read, or a file holds pseudonyms of a key that is not at hand, since the answer may then be
    incomplete. Links are not checked: that is what `verify` does.
    """
    if json_lines and csv_file == STANDARD_OUTPUT:
        raise click.UsageError("--json and --csv both go to standard output; name a FILE for --csv")
    log = find_filled_log(config_file, directory, key_files)
    query = _query(log, **conditions)
    check_log_client(log, query.client)
    answer = _Answer(log, query)
    try:
        if csv_file is not None:
            answer.write_csv(csv_file)
        if csv_file is None or (json_lines and csv_file != STANDARD_OUTPUT):
            answer.print(json_lines=json_lines)
    except OSError as error:
        refuse_log(log.directory, error)
    answer.conclude()


def _query(
    log: Log, *, patient: str | None, user: str | None, encounter: str | None, since: str | None, until: str | None,
    **others: Any,
) -> Query:  # fmt: skip
    first, last = period(since, until, log.zone)
    return Query(
        patients=patient_forms(patient.removeprefix("Patient/"), log.keys) if patient is not None else None,
        key_ids=ids_of(log.keys),
        user=user,
        user_forms=user_forms(user, log.keys) if user is not None else frozenset(),
        encounters=encounter_forms(encounter.removeprefix("Encounter/"), log.keys) if encounter is not None else None,
        since=first,
        until=last,
        **others,
    )


class _Answer:
    """What was found for a query in a log, and what may be missing from it."""

    def __init__(self, log: Log, query: Query) -> None:
        self._log = log
        self._query = query
        self._gaps: list[Unreadable | Concealed] = []
        self._totals = Totals()

    def print(self, *, json_lines: bool) -> None:
        """Print what is found as it is found: JSON Lines, or a table with its heading. Raises OSError."""
        for place, found in enumerate(self._found()):
            if not place and not json_lines:
                click.echo(heading())
            click.echo(as_json(found) if json_lines else as_row(found, self._log.zone))

    def write_csv(self, file: Path) -> None:
        """Write what is found as CSV. Raises OSError."""
        with open_whole(file) as stream:
            for line in csv_rows(self._found(), self._log.zone):
                stream.write(line.encode())

    def _found(self) -> Iterator[Found]:
        self._gaps, self._totals = [], Totals()
        for found in search(self._log.directory, self._query):
            if isinstance(found, Found):
                self._totals.count(found)
                yield found
            else:
                self._gaps.append(found)

    def conclude(self) -> None:
        """Say how much was found and what may be missing from it; exit 1 when something may."""
        concealing = [gap.file for gap in self._gaps if isinstance(gap, Concealed)]
        among = " among those that can be compared" if concealing else ""
        click.echo(self._totals.told() if self._totals else f"No record matches{among}.", err=True)
        directory = self._log.directory
        for file in concealing:
            click.echo(f"{directory / file}: has pseudonyms of a key that is not at hand; see --key-file", err=True)
        if concealing:
            click.echo("The person may be in these files, too.", err=True)
        if len(self._gaps) > len(concealing):
            unreadable = len(self._gaps) - len(concealing)
            fail(f"{directory}: lines that cannot be read: {unreadable}; run sii-cds audit verify")
        if concealing:
            raise click.exceptions.Exit(1)
