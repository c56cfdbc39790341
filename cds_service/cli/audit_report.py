"""sii-cds audit report: what was decided, shown, accepted and overridden in a period."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cds_service.audit.records import FIRST_SERVICE
from cds_service.cli.audit_log import (
    check_log_client,
    fail,
    find_filled_log,
    log_options,
    period,
    period_options,
    refuse_log,
)
from cds_service.cli.files import write_text
from cds_service.cli.options import offered_service
from cds_service.cli.shown import csv_option, html_option, json_option, show
from cds_service.errors import MissingExtraError
from cds_service.reports.as_csv import as_csv
from cds_service.reports.printable import printable_json

if TYPE_CHECKING:
    from datetime import datetime

    from cds_service.cli.audit_log import Log
    from cds_service.insight.usage.statistics import Statistics
    from cds_service.reports.content import Document


@click.command("report", epilog="Example: sii-cds audit report --since 2026-11-01 --html report.html")
@log_options
@period_options
@click.option("--service", default=FIRST_SERVICE, show_default=True, metavar="ID", help="The CDS Service by its id.")
@click.option("--client", metavar="NAME", help="Count this EHR alone, by its name in the configuration.")
@html_option
@json_option
@csv_option
@click.option(
    "--board",
    "board_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write one page for the safety board, to be printed on one sheet of A4.",
)
def report_command(
    config_file: Path | None,
    directory: Path | None,
    key_files: tuple[Path, ...],
    since: str | None,
    until: str | None,
    service: str,
    client: str | None,
    html_file: Path | None,
    json_file: Path | None,
    csv_file: Path | None,
    board_file: Path | None,
) -> None:
    """Report on hooks, outcomes, reasons, cards and feedback of one service, by week and by client.

    Prints a summary; FILE "-" writes a page or the JSON to standard output instead. Exit code 1 when a line of the
    log cannot be read, since the figures may then be too low.
    """
    log = find_filled_log(config_file, directory, key_files)
    check_log_client(log, client)
    statistics = _counted(log, *period(since, until, log.zone), service, client)
    page, board = _documents(statistics, log, client)
    if Path("-") not in (html_file, json_file, csv_file, board_file):
        show(page)
    if json_file is not None:
        _write_json(statistics, json_file)
    if csv_file is not None:
        write_text(csv_file, as_csv(page))
    for file, document in ((html_file, page), (board_file, board)):
        if file is not None:
            _write_page(document, file)
    if statistics.unreadable:
        fail(f"{log.directory}: lines that cannot be read: {statistics.unreadable}; run sii-cds audit verify")


def _counted(log: Log, first: datetime | None, last: datetime | None, service: str, client: str | None) -> Statistics:
    from cds_service.insight.sources.audit_log import read_rows
    from cds_service.insight.usage.statistics import count

    definition = offered_service(service)
    try:
        return count(read_rows([log.directory], log.zone, client=client), first, last, definition)
    except OSError as error:
        refuse_log(log.directory, error)


def _documents(statistics: Statistics, log: Log, client: str | None) -> tuple[Document, Document]:
    from cds_service.insight.usage.board_page import board_page
    from cds_service.insight.usage.report_page import report_page

    source = f"{log.directory}, client {client} alone" if client is not None else str(log.directory)
    arguments = (statistics, source, log.zone, version("sii-cds"))
    return report_page(*arguments), board_page(*arguments)


def _write_json(statistics: Statistics, file: Path) -> None:
    import json

    from cds_service.insight.usage.report_figures import as_data

    write_text(file, printable_json(json.dumps(as_data(statistics), indent=2)) + "\n")


def _write_page(page: Document, file: Path) -> None:
    from cds_service.reports.as_html import as_html

    try:
        document = as_html(page)
    except MissingExtraError as error:
        fail(str(error))
    write_text(file, document)
