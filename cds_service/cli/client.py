"""sii-cds client: connect an EHR, and find out why its tokens are refused."""

from __future__ import annotations

import click

from cds_service.cli.client_check import check_command
from cds_service.cli.client_test import test_command


@click.group("client", epilog="Example: sii-cds client test --config sii-cds.yaml")
def client_group() -> None:
    """Prove the wiring to an EHR, and explain a refused token."""


client_group.add_command(check_command)
client_group.add_command(test_command)
