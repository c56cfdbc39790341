"""sii-cds serve: run the service under the production server."""

from __future__ import annotations

import logging
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

# Here, before the fork: the workers share the memory of what is imported, and start at once.
from cds_service.app import serve_site
from cds_service.audit.standing import site_notices
from cds_service.cli.named_parts import load_usable_or_exit
from cds_service.cli.options import config_option
from cds_service.server.reload import Reload, in_force_at_start
from cds_service.server.serving import ServerOptions, serve_application
from cds_service.settings.named_files import Contents, holding
from cds_service.settings.watching import identify

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cds_service.server.in_force import InForce, ServedApplication

_LOGGER = logging.getLogger(__name__)


@click.command("serve", epilog="Example: sii-cds serve --config sii-cds.yaml")
@config_option
@click.option("--host", metavar="ADDRESS", help="Listen here instead of server.host.")
@click.option("--port", type=click.IntRange(0, 65535), help="Listen on this port; 0 takes a free one and prints it.")
def serve(config_file: Path | None, host: str | None, port: int | None) -> None:
    """Run the service until SIGTERM or SIGINT; SIGHUP reloads the configuration."""
    _override("SII_CDS__SERVER__HOST", host)
    _override("SII_CDS__SERVER__PORT", port)
    path = config_file.absolute() if config_file is not None else None
    known = {path: identify(path)} if path is not None else {}
    contents: Contents = {}
    with holding(contents):
        settings = load_usable_or_exit(config_file)
        notices = tuple(site_notices(settings, datetime.now(UTC).date()))
    held = in_force_at_start(settings, contents)
    server = settings.server
    options = ServerOptions(server.host, server.port, server.workers, server.threads, server.max_request_bytes)
    reload = Reload(held, path, dict(os.environ), known)
    run_server(serve_site, reload, options, lambda address: _announce(address, notices))


def _announce(address: str, notices: tuple[str, ...]) -> None:
    """Print the address, before anything else: programs read the first line. Then log what is to be known."""
    click.echo(f"listening on {address}")
    for notice in notices:
        _LOGGER.warning("at start: %s", notice)


def run_server(
    build: Callable[[InForce], ServedApplication],
    reload: Reload,
    options: ServerOptions,
    on_listening: Callable[[str], None],
) -> None:
    """Run an application until it is told to stop; exit 1 when the address cannot be had."""
    try:
        serve_application(build, reload, options, on_listening)
    except OSError as error:
        click.echo(f"{options.host}:{options.port}: cannot listen: {error.strerror or error}", err=True)
        raise click.exceptions.Exit(1) from error


def _override(variable: str, value: object) -> None:
    if value is not None:
        os.environ[variable] = str(value)
