"""sii-cds demo: the service and a small EHR page with synthetic patients, on loopback, without configuration."""

from __future__ import annotations

import socket
import tempfile
from pathlib import Path
from typing import Final

import click

from cds_service.cli.serve import run_server
from cds_service.demo.app import demo_settings, serve_demo
from cds_service.server.in_force import InForce
from cds_service.server.reload import Reload
from cds_service.server.serving import ServerOptions

HOST: Final = "127.0.0.1"
USUAL_PORT: Final = 8765
# Neighbors of the usual port are tried first: they are found again in the history of a browser.
_NEIGHBORS: Final = 9
THREADS: Final = 8


@click.command("demo", epilog="Example: sii-cds demo --port 9000")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help=f"Listen on this port; 0 takes a free one. Default {USUAL_PORT}, or the next free one where it is taken.",
)
def demo(port: int | None) -> None:
    """Run the service with a small EHR page and synthetic patients, until Ctrl-C.

    Listens on this machine only, asks for no token, and keeps its records in a temporary directory.
    """
    chosen = _choose_port(port)
    if port is None and chosen != USUAL_PORT:
        click.echo(f"Port {USUAL_PORT} is taken; {chosen} is free and is used.", err=True)
    with tempfile.TemporaryDirectory(prefix="sii-cds-demo-") as directory:
        settings = demo_settings(chosen, Path(directory))
        server = settings.server
        options = ServerOptions(HOST, chosen, server.workers, THREADS, server.max_request_bytes)
        run_server(serve_demo, Reload(InForce(settings), None, {}, {}), options, _announce)


def _announce(address: str) -> None:
    click.echo(f"EHR page with synthetic patients: {address}/")
    click.echo(f"CDS service base:                 {address}/cds-services")
    click.echo("Stop with Ctrl-C.")


def _choose_port(port: int | None) -> int:
    """Return the port asked for, or a free one: links in cards need the address before the server runs."""
    if port:
        return port
    candidates = (0,) if port == 0 else (*range(USUAL_PORT, USUAL_PORT + _NEIGHBORS + 1), 0)
    for candidate in candidates:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, candidate))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise click.ClickException("no free port on loopback")
