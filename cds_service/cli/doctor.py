"""sii-cds doctor: find out before go-live whether the rule can read a hospital's data."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from cds_service.cli.given_files import hint_of_bundles
from cds_service.cli.options import config_option, load_or_defaults, moment_option
from cds_service.cli.shown import csv_option, html_option, json_option, show
from cds_service.decision.site import site_from_settings
from cds_service.errors import ConfigurationError, MissingExtraError
from cds_service.foreign_bytes import text_of
from cds_service.insight.doctor.document import document
from cds_service.insight.doctor.evidence import Options
from cds_service.insight.doctor.examination import conclude
from cds_service.insight.doctor.export.examine import examine_export
from cds_service.insight.doctor.masking import DEFAULT_MASK_BELOW, Mask
from cds_service.insight.sources.export_files import KNOWN_ENDINGS, find_files
from cds_service.reports.as_csv import as_csv
from cds_service.reports.as_json import as_json
from cds_service.services.sii_recurrence_risk import SII_RECURRENCE_RISK
from cds_service.settings.network import secure_location, secure_url

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from click._termui_impl import ProgressBar

    from cds_service.insight.doctor.evidence import Evidence
    from cds_service.insight.doctor.report import Report
    from cds_service.settings import Settings

_DEFAULT_PATIENTS: Final = 100
_MOST_PATIENTS: Final = 5_000
_STDOUT: Final = Path("-")

_Command = TypeVar("_Command", bound="Callable[..., object]")


_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)


def _server_options(command: _Command) -> _Command:
    """Add the options that name a FHIR server and the access to it; they have the names of `Credentials`."""
    options = (
        click.option("--fhir-server", metavar="URL", callback=_address, help="Examine this FHIR server (R4)."),
        click.option("--token-file", type=_FILE, metavar="FILE", help="Bearer token for it."),
        click.option("--client-id", metavar="ID", help="SMART Backend Services: client id."),
        click.option("--key-file", type=_FILE, metavar="FILE", help="SMART Backend Services: private key, JWK or PEM."),
        click.option("--key-id", metavar="KID", help="Id of that key; else the one in the JWK, else its thumbprint."),
        click.option("--token-url", metavar="URL", callback=_location, help="Token endpoint; else discovered."),
        click.option("--scope", help="Scopes to ask for; else reading and searching the four types."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _address(_context: click.Context, _parameter: click.Parameter, text: str | None) -> str | None:
    return _checked(secure_url, text)


def _location(_context: click.Context, _parameter: click.Parameter, text: str | None) -> str | None:
    return _checked(secure_location, text)


def _checked(check: Callable[[str], str], text: str | None) -> str | None:
    try:
        return check(text) if text is not None else None
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command("doctor", epilog="Example: sii-cds doctor export/ --html doctor.html")
@click.argument("export", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--patients",
    type=click.IntRange(1, _MOST_PATIENTS),
    metavar="N",
    default=_DEFAULT_PATIENTS,
    show_default=True,
    help="Patients to examine; those with a qualifying diagnosis come first.",
)
@click.option(
    "--patient-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Examine these patients: one FHIR id a line.",
)
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), metavar="DAY", help="Count only results from this day on.")
@click.option("--seed", type=int, metavar="N", default=1, show_default=True, help="Seed of the sample.")
@click.option(
    "--mask-below",
    type=click.IntRange(0, 100),
    metavar="N",
    default=DEFAULT_MASK_BELOW,
    show_default=True,
    help="Mask counts from 1 to one less than this; 0 for test systems.",
)
@html_option
@json_option
@csv_option
@click.option("--overlay", type=click.Path(path_type=Path), metavar="FILE", help="Write the proposed overlay, if any.")
@_server_options
@moment_option("Assess as of this moment")
@config_option
def doctor_command(
    export: tuple[Path, ...],
    patients: int,
    patient_file: Path | None,
    since: datetime | None,
    seed: int,
    mask_below: int,
    html_file: Path | None,
    json_file: Path | None,
    csv_file: Path | None,
    overlay: Path | None,
    at: datetime,
    config_file: Path | None,
    **server: Any,
) -> None:
    """Examine whether the rule can read a hospital's data: codes, units, draws, eligibility, searches.

    EXPORT are files or folders of a FHIR Bulk Data export (NDJSON, also gzip) with Patient, Observation, Condition and
    Procedure; or name a FHIR server. The output holds no patient data. Exit code 1 when something stands against
    go-live.
    """
    options = Options(
        patients=patients,
        seed=seed,
        now=at,
        since=since.date() if since is not None else None,
        patient_ids=_listed(patient_file),
    )
    settings = load_or_defaults(config_file)
    if (server["fhir_server"] is None) == (not export):
        raise click.UsageError("name either the files of an export, or a FHIR server with --fhir-server")
    evidence = _examine_export(export, options, settings) if export else _examine_server(server, options, settings)
    report = conclude(evidence, Mask(mask_below))
    if json_file == _STDOUT:
        click.echo(as_json(report))
    else:
        show(document(report))
    _write_files(report, (json_file, _json), (csv_file, _csv), (overlay, _overlay), (html_file, _html))
    if report.is_blocked:
        raise click.exceptions.Exit(1)


def _listed(path: Path | None) -> tuple[str, ...] | None:
    if path is None:
        return None
    try:
        text = text_of(path.read_bytes())
    except ValueError as error:
        raise click.BadParameter(f"{path} {error}", param_hint="--patient-file") from None
    lines = (line.strip().removeprefix("Patient/") for line in text.splitlines())
    ids = tuple(dict.fromkeys(line for line in lines if line and not line.startswith("#")))
    if not ids:
        raise click.BadParameter(f"{path} names no patient", param_hint="--patient-file")
    return ids


def _examine_export(paths: tuple[Path, ...], options: Options, settings: Settings) -> Evidence:
    files = find_files(paths)
    if not files:
        raise click.UsageError(
            f"no NDJSON file ({KNOWN_ENDINGS}) in {', '.join(map(str, paths))}{hint_of_bundles(paths)}"
        )
    size = 2 * sum(file.stat().st_size for file in files if file.exists())
    with _progress("Reading the export", size) as bar:
        return examine_export(files, site_from_settings(settings, SII_RECURRENCE_RISK), options, bar.update)


def _examine_server(server: dict[str, Any], options: Options, settings: Settings) -> Evidence:
    from cds_service.insight.doctor.server.access import Credentials, CredentialsError, open_server

    # The log would tell of failed requests between the lines; the report tells of them as findings.
    logging.getLogger("cds_service").addHandler(logging.NullHandler())
    try:
        examiner = open_server(Credentials(**server), settings, options)
    except (CredentialsError, ConfigurationError) as error:
        raise click.UsageError(str(error)) from None
    with _progress("Asking the server", options.patients) as bar:

        def advance(done: int, whole: int) -> None:
            bar.length = whole
            bar.update(done - bar.pos)

        return examiner.run(advance)


def _progress(label: str, length: int) -> ProgressBar[int]:
    """Show a bar on stderr while somebody can see it."""
    return click.progressbar(length=length, label=label, file=sys.stderr, hidden=not sys.stderr.isatty())


def _json(report: Report) -> str:
    return as_json(report) + "\n"


def _overlay(report: Report) -> str:
    return report.overlay


def _csv(report: Report) -> str:
    return as_csv(document(report))


def _html(report: Report) -> str:
    from cds_service.reports.as_html import as_html

    return as_html(document(report))


def _write_files(report: Report, *wanted: tuple[Path | None, Callable[[Report], str]]) -> None:
    """Write what was asked for; the text was shown before, so a failure here loses nothing of it."""
    try:
        for file, write in wanted:
            if file is not None and file != _STDOUT and (text := write(report)):
                file.write_text(text, "utf-8")
    except MissingExtraError as error:
        raise click.UsageError(str(error)) from None
    except OSError as error:
        raise click.UsageError(f"{error.filename}: {error.strerror}") from None
