"""What subcommands share: the option that names the configuration file, and loading it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn, TypeVar

import click

from cds_service.settings import Settings, SettingsError, load_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CONFIG_VARIABLE: Final = "SII_CDS_CONFIG"

_Command = TypeVar("_Command", bound="Callable[..., object]")


def config_option(command: _Command) -> _Command:
    """Add `--config FILE`; SII_CDS_CONFIG serves where it is not given. The parameter is `config_file`."""
    return click.option(
        "--config",
        "config_file",
        type=click.Path(path_type=Path),
        envvar=CONFIG_VARIABLE,
        metavar="FILE",
        help=f"Configuration file; else the one that {CONFIG_VARIABLE} names.",
    )(command)


def load_or_exit(config_file: Path | None, environ: Mapping[str, str] | None = None) -> Settings:
    """Load the configuration; print every problem to stderr and exit 1 when it cannot be used.

    Warnings go to stderr too. `environ` is the process environment unless given.
    """
    try:
        settings = load_settings(config_file, os.environ if environ is None else environ)
    except SettingsError as error:
        refuse(error)
    for warning in settings.warnings:
        click.echo(f"warning: {warning}", err=True)
    return settings


def refuse(error: SettingsError) -> NoReturn:
    """Print every problem of a configuration to stderr and exit 1."""
    for problem in error.problems:
        click.echo(str(problem), err=True)
    raise click.exceptions.Exit(1)
