"""What a configuration names, tried before it is used: key sets, authorities, the audit key, the database driver.

The settings say that these files are there. Whether they hold what they should is found out by the parts that read
them; a service that finds it out in its workers ends with a traceback of each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cds_service.acquisition.fhir.exchange import Exchanger
from cds_service.acquisition.from_settings import http_options
from cds_service.audit.keys import read_key
from cds_service.authorization.from_settings import authenticator_from_settings
from cds_service.authorization.key_file import KeyFile
from cds_service.cli.options import load_or_exit
from cds_service.errors import ConfigurationError
from cds_service.smart.from_settings import registrations
from cds_service.state.used_tokens import UsedTokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cds_service.settings import Settings


def load_usable_or_exit(config_file: Path | None) -> Settings:
    """Load the configuration like `load_or_exit`, and try what it names. Nothing is written, nobody is asked.

    Exits 1 as well when a file or a driver that it names cannot be used, with a sentence each on stderr.
    """
    settings = load_or_exit(config_file)
    problems = [problem for part in _parts(settings) if (problem := _problem(part)) is not None]
    for problem in dict.fromkeys(problems):
        click.echo(f"{config_file or 'defaults and environment'}: {problem}", err=True)
    if problems:
        raise click.exceptions.Exit(1)
    for remark in _key_remarks(settings):
        click.echo(f"warning: {remark}", err=True)
    return settings


def _parts(settings: Settings) -> Iterator[Callable[[], object]]:
    yield lambda: authenticator_from_settings(settings)
    yield lambda: UsedTokens(settings.state.url)
    yield lambda: Exchanger(http_options(settings), connections=1)
    yield lambda: tuple(registrations(settings))
    key_file = settings.audit.hmac_key_file
    if key_file is not None:
        yield lambda: read_key(key_file)


def _key_remarks(settings: Settings) -> Iterator[str]:
    """Say what is odd about the keys in files; those at an address are read when the service runs."""
    for client in authenticator_from_settings(settings).clients:
        if isinstance(client.keys, KeyFile):
            yield from (f'clients: "{client.name}": jwks_file: {remark}' for remark in client.keys.remarks())


def _problem(part: Callable[[], object]) -> str | None:
    try:
        part()
    except ConfigurationError as error:
        return str(error)
    return None
