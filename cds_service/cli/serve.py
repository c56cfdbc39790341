"""sii-cds serve: run the service under the production server."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING

import click

from cds_service.cli.named_parts import load_usable_or_exit
from cds_service.cli.options import CONFIG_VARIABLE, config_option
from cds_service.server.serving import serve_application
from cds_service.web.logging import configure_logging
from cds_service.web.paths import DIRECTORY_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TARGET = "cds_service.app:create_app_from_environment"


@click.command("serve")
@config_option
@click.option("--host", metavar="ADDRESS", help="Listen here instead of server.host.")
@click.option("--port", type=click.IntRange(0, 65535), help="Listen on this port; 0 takes a free one and prints it.")
def serve(config_file: Path | None, host: str | None, port: int | None) -> None:
    """Run the service until SIGTERM or SIGINT; SIGHUP reloads the configuration."""
    _override("SII_CDS__SERVER__HOST", host)
    _override("SII_CDS__SERVER__PORT", port)
    settings = load_usable_or_exit(config_file)
    if config_file is not None:
        os.environ[CONFIG_VARIABLE] = str(config_file.absolute())
    run_server(
        TARGET,
        settings.server.host,
        settings.server.port,
        workers=settings.server.workers,
        threads=settings.server.threads,
        max_request_bytes=settings.server.max_request_bytes,
        announce=lambda address: click.echo(f"listening on {address}"),
    )


def run_server(
    target: str,
    host: str,
    port: int,
    *,
    workers: int,
    threads: int,
    max_request_bytes: int,
    announce: Callable[[str], None],
) -> None:
    """Run an application factory, with a directory for the metrics of all workers that is gone afterwards."""
    # Records of the server itself: they go where those of the workers go, in the same form.
    configure_logging()
    with tempfile.TemporaryDirectory(prefix="sii-cds-metrics-") as directory:
        # A directory of the caller's could hold what another run counted.
        os.environ[DIRECTORY_VARIABLE] = directory
        try:
            serve_application(
                target,
                host,
                port,
                workers,
                threads,
                max_request_bytes=max_request_bytes,
                on_listening=announce,
            )
        except OSError as error:
            click.echo(f"{host}:{port}: cannot listen: {error.strerror or error}", err=True)
            raise click.exceptions.Exit(1) from error


def _override(variable: str, value: object) -> None:
    if value is not None:
        os.environ[variable] = str(value)
