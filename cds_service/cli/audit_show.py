"""sii-cds audit show: one decision whole, for a person to read."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Final

import click

from cds_service.audit.presentation import as_row, heading
from cds_service.audit.reading import verify_log
from cds_service.cli.audit_log import fail, find_filled_log, kept_head_of, log_options, refuse_log
from cds_service.cli.audit_replay import sites_of
from cds_service.cli.files import STANDARD_OUTPUT, write_text
from cds_service.cli.shown import csv_option, html_option, json_option, show
from cds_service.reports.printable import printable

if TYPE_CHECKING:
    from pathlib import Path

    from cds_service.audit.search import Found
    from cds_service.cli.audit_log import Log
    from cds_service.insight.usage.one_decision import OneDecision

_MOST_NAMED: Final = 20


@click.command("show", epilog="Example: sii-cds audit show 3f0c8c9e-8a43-4f0e-9b3c-1f6f5a1f6a10 --config sii-cds.yaml")
@click.argument("decision", metavar="ID", required=False)
@log_options
@json_option
@csv_option
@html_option
def show_command(
    decision: str | None,
    config_file: Path | None,
    directory: Path | None,
    key_files: tuple[Path, ...],
    json_file: Path | None,
    csv_file: Path | None,
    html_file: Path | None,
) -> None:
    """Show one decision: who, when, what was read, what was decided, shown and answered, and by which rule.

    ID is a request id, a hook instance, the uuid of a card, or the number of a record. The whole log is verified.
    Exit code 1 when there is no such decision or the log is not whole, 2 when ID names several.
    """
    if decision is None and json_file not in (None, STANDARD_OUTPUT):
        # "--json ID": ID cannot be left out, so the word is no FILE.
        decision, json_file = str(json_file), STANDARD_OUTPUT
    if decision is None or not decision.strip():
        raise click.UsageError("name the decision: ID is a request id, hook instance, card uuid or record number")
    log = find_filled_log(config_file, directory, key_files)
    try:
        one = _gathered(log, decision)
    except OSError as error:
        refuse_log(log.directory, error)
    _write(one, log, json_file=json_file, csv_file=csv_file, html_file=html_file)
    if one.chain.broken is not None:
        raise click.exceptions.Exit(1)


def _gathered(log: Log, wanted: str) -> OneDecision:
    from cds_service.insight.usage.one_decision import find_decisions, gather

    found = find_decisions(log.directory, wanted)
    if not found:
        fail(
            printable(
                f"{log.directory}: there is no decision with the request id, hook instance, card or number {wanted}"
            )
        )
    if len(found) > 1:
        _refuse_several(found, log, wanted)
    clients = log.settings.clients if log.settings is not None else ()
    language = next((client.language for client in clients if client.name == found[0].record.client), None)
    chain = verify_log(log.directory, log.keys, kept_head_of(log), site_key=log.site_key)
    return gather(log.directory, found[0], sites_of(log), chain, language)


def _refuse_several(found: list[Found], log: Log, wanted: str) -> None:
    lines = [f"{len(found)} decisions have {wanted}; name one by the number of its record:", f"RECORD  {heading()}"]
    lines += [f"{one.sequence:<6}  {as_row(one, log.zone)}" for one in found[:_MOST_NAMED]]
    click.echo("\n".join(map(printable, lines)), err=True)
    raise click.exceptions.Exit(2)


def _write(
    one: OneDecision, log: Log, *, json_file: Path | None, csv_file: Path | None, html_file: Path | None
) -> None:
    from cds_service.insight.usage.decision_page import decision_page
    from cds_service.insight.usage.one_decision import as_data
    from cds_service.reports.as_csv import as_csv
    from cds_service.reports.as_html import as_html
    from cds_service.reports.as_json import as_json

    page = decision_page(one, log.zone, version("sii-cds"))
    if STANDARD_OUTPUT not in (json_file, csv_file, html_file):
        show(page)
    if json_file is not None:
        write_text(json_file, as_json(as_data(one)) + "\n")
    if csv_file is not None:
        write_text(csv_file, as_csv(page))
    if html_file is not None:
        write_text(html_file, as_html(page))
