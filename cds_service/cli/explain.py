"""sii-cds explain: how a hook request is assessed, for the person who asks why there is a card or none."""

from __future__ import annotations

import json
from datetime import MAXYEAR, UTC, datetime
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from cds_service.authorization.clients import TrustedClient
from cds_service.cli.cross_check import cross_check
from cds_service.cli.explain_text import as_text
from cds_service.cli.options import config_option, load_or_exit
from cds_service.errors import ServiceError
from cds_service.hooks.request import parse_cds_request
from cds_service.services.decision import decide
from cds_service.services.explanation import explain
from cds_service.services.site import site_from_settings
from cds_service.settings import settings_from_dict

if TYPE_CHECKING:
    from pathlib import Path

    from cds_service.settings import Settings

_EARLIEST_YEAR = 1900

_ANYONE = TrustedClient(name="explain", issuer=None, mode="active")


@click.command("explain")
@click.argument("file", type=click.File("rb"))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--at",
    metavar="TIME",
    help="Assess as of this moment (RFC 3339 with a zone, such as 2026-03-01T10:00:00Z); default now.",
)
@config_option
def explain_command(file: BinaryIO, as_json: bool, at: str | None, config_file: Path | None) -> None:
    """Explain how the hook request in FILE ("-" for standard input) is assessed.

    Uses the site's configuration where one is given, else the defaults. Nothing is sent or recorded. Exit code 1 when
    the request could not be answered.
    """
    now = _moment(at)
    body = file.read()
    site = site_from_settings(_settings(config_file))
    try:
        request = parse_cds_request(body)
        decision = decide(request, _ANYONE, site, now)
    except ServiceError as error:
        _refuse(error, as_json)
        raise click.exceptions.Exit(1) from error
    explanation = explain(decision, request.context.patientId, site, now)
    explanation["crossCheck"] = cross_check(request, explanation["observations"])
    click.echo(json.dumps(explanation, indent=2) if as_json else as_text(explanation))


def _settings(config_file: Path | None) -> Settings:
    if config_file is not None:
        return load_or_exit(config_file)
    # The defaults of the rule; authentication is the one default that asks for more configuration.
    from pathlib import Path

    return settings_from_dict({"authentication": {"required": False}}, Path.cwd())


def _moment(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter("not a date-time", param_hint="--at") from error
    if moment.tzinfo is None:
        raise click.BadParameter("the time needs a zone, such as Z or +01:00", param_hint="--at")
    if not _EARLIEST_YEAR <= moment.year < MAXYEAR:
        # Days and zones are added to the moment, and must not leave the calendar.
        raise click.BadParameter("not a year of our time", param_hint="--at")
    return moment


def _refuse(error: ServiceError, as_json: bool) -> None:
    content: dict[str, Any] = {"status": error.status, "error": error.client_text}
    if as_json:
        click.echo(json.dumps(content, indent=2))
    else:
        click.echo(f"The service would answer {error.status}: {error.client_text}", err=True)
