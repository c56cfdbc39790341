"""sii-cds explain: how a hook request is assessed, for the person who asks why there is a card or none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, BinaryIO
from uuid import uuid4

import click

from cds_service.authorization.clients import TrustedClient
from cds_service.cli.cross_check import cross_check
from cds_service.cli.explain_text import as_text
from cds_service.cli.given_files import instead_of_request
from cds_service.cli.options import config_option, load_or_defaults, moment_option
from cds_service.decision.explanation import explain
from cds_service.decision.flow import decide
from cds_service.decision.site import site_from_settings
from cds_service.errors import DataUnavailableError, MalformedRequestError, ServiceError
from cds_service.hooks.request import parse_cds_request
from cds_service.reports.printable import printable_json
from cds_service.services.sii_recurrence_risk import SII_RECURRENCE_RISK

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from cds_service.hooks.request import CDSRequest
    from cds_service.settings import Settings


@click.command("explain", epilog="Example: sii-cds explain request.json --config sii-cds.yaml")
@click.argument("file", type=click.File("rb"))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@moment_option("Assess as of this moment")
@config_option
def explain_command(file: BinaryIO, as_json: bool, at: datetime, config_file: Path | None) -> None:
    """Explain how the hook request in FILE ("-" for standard input) is assessed.

    Uses the site's configuration where one is given, else the defaults. Nothing is sent or recorded. Exit code 1 when
    the request could not be answered.
    """
    body = file.read()
    settings = load_or_defaults(config_file)
    site = site_from_settings(settings, SII_RECURRENCE_RISK)
    can_fetch = False
    try:
        request = parse_cds_request(body)
        can_fetch = request.fhirServer is not None and request.fhirAuthorization is not None
        decision = decide(request, _anyone(request, settings), site, at)
    except ServiceError as error:
        _refuse(error, as_json, can_fetch=can_fetch)
        if isinstance(error, MalformedRequestError) and not as_json and (instead := instead_of_request(body)):
            click.echo(instead, err=True)
        raise click.exceptions.Exit(1) from error
    explanation = explain(decision, request.context.patientId, site, at, lambda: str(uuid4()))
    explanation["crossCheck"] = cross_check(request, explanation["observations"])
    click.echo(printable_json(json.dumps(explanation, indent=2)) if as_json else as_text(explanation))


def _anyone(request: CDSRequest, settings: Settings) -> TrustedClient:
    """Whoever sent it: which client that was, the body does not tell. Without a configuration, no server is refused."""
    listed = [server for client in settings.clients for server in client.fhir_servers]
    servers = listed if settings.clients else [request.fhirServer] if request.fhirServer else []
    return TrustedClient(name="explain", issuer=None, mode="active", fhir_servers=tuple(servers))


def _refuse(error: ServiceError, as_json: bool, *, can_fetch: bool) -> None:
    content: dict[str, Any] = {"status": error.status, "error": error.client_text}
    text = f"The service would answer {error.status}: {error.client_text}"
    if isinstance(error, DataUnavailableError) and can_fetch:
        text = (
            f"The body lacks {', '.join(error.keys)}. The service asks the FHIR server of the request for it, and "
            f"answers {error.status} where that fails. This command asks nobody: put what the search gives under "
            f"prefetch.{error.keys[0]} and run it again."
        )
        content = {"status": None, "error": text}
    if as_json:
        click.echo(printable_json(json.dumps(content, indent=2)))
    else:
        click.echo(text, err=True)
