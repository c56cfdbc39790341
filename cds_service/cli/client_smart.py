"""sii-cds client test --smart: what the authorization server says of itself, and the sheet for registering the app."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Final

import click

from cds_service.acquisition.fhir.connections import TimeLimit
from cds_service.acquisition.fhir.exchange import Exchanger
from cds_service.acquisition.from_settings import http_options
from cds_service.cli.client_proof import Proof
from cds_service.errors import ConfigurationError, LaunchError
from cds_service.smart.discovery import DISCOVERY_PATH, AuthorizationServer
from cds_service.smart.from_settings import registrations

if TYPE_CHECKING:
    from cds_service.settings import Settings
    from cds_service.smart.registration import Registration

_SECONDS: Final = 10.0


def prove_trend_apps(settings: Settings) -> None:
    """Check the trend app of every client and print its sheet. Exits 1 when something does not work.

    Raises click.UsageError when no client has one.
    """
    try:
        found = tuple(registrations(settings))
        exchanger = Exchanger(http_options(settings), connections=1)
    except ConfigurationError as error:
        click.echo(error.log_detail or str(error), err=True)
        raise click.exceptions.Exit(1) from None
    if not found:
        raise click.UsageError("no client has a smart_app, or those that have one are silent")
    proof = Proof()
    for registration in found:
        _print_sheet(registration)
        _prove(proof, registration, AuthorizationServer(registration.fhir_server, exchanger))
    if proof.failed:
        raise click.exceptions.Exit(1)


def _print_sheet(registration: Registration) -> None:
    """Print what the EHR's administrator enters."""
    rows = [
        ("client", registration.client),
        ("client_id", registration.client_id),
        ("launch URL", registration.launch_url),
        ("redirect URI", registration.redirect_uri),
        ("authentication", registration.proof.method),
        *([("key set URL", registration.key_set_url)] if registration.keys else []),
        *(("key", f"{key.key_id} ({key.algorithm})") for key in registration.keys),
        ("scopes", " ".join(registration.scopes)),
        ("FHIR server", registration.fhir_server),
        ("shown in frames of", " ".join(registration.frame_ancestors) or "none: it opens in a window of its own"),
    ]
    click.echo(f'\nRegistration of the trend app with "{registration.client}":')
    for label, value in rows:
        click.echo(f"  {label:<19} {value}")
    click.echo("")


def _prove(proof: Proof, registration: Registration, server: AuthorizationServer) -> None:
    try:
        endpoints = server.endpoints(TimeLimit(monotonic() + _SECONDS))
    except LaunchError as error:
        proof.fail(f"{registration.fhir_server}{DISCOVERY_PATH}", error.log_detail)
        return
    proof.ok(f"discovery names {endpoints.authorization} and {endpoints.token}")
    try:
        server.keys(TimeLimit(monotonic() + _SECONDS))
    except LaunchError as error:
        proof.fail("the keys of id_tokens cannot be read", error.log_detail)
    else:
        proof.ok("the keys of id_tokens can be read")
    said, agreed = endpoints.issuer, registration.id_token_issuer
    proof.ok(f"id_tokens must come from {agreed or said or registration.fhir_server}")
    if agreed is not None and said and said != agreed:
        click.echo(f"note  discovery names another issuer, {said}: id_tokens from it are refused")
