"""What subcommands share: the options that name the configuration file and a moment, and loading the configuration."""

from __future__ import annotations

import os
from datetime import MAXYEAR, UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn, TypeVar

import click
from click.core import ParameterSource

from cds_service.reports.printable import printable
from cds_service.settings import Settings, SettingsError, load_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from cds_service.decision.definition import ServiceDefinition

CONFIG_VARIABLE: Final = "SII_CDS_CONFIG"

_EARLIEST_YEAR: Final = 1900
_NO_AUTHENTICATION: Final = "SII_CDS__AUTHENTICATION__REQUIRED"

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


def chosen_file(file: Path | None, config_file: Path | None) -> Path | None:
    """Return the argument FILE, else the file of `--config` or its variable. Both on one command line are refused."""
    source = click.get_current_context().get_parameter_source("config_file")
    if file and source is ParameterSource.COMMANDLINE:
        raise click.UsageError("name the file once: as FILE or with --config")
    return file or config_file


def moment_option(what: str) -> Callable[[_Command], _Command]:
    """Add `--at TIME`, an aware datetime; now where it is not given. `what` says what it is for."""
    return click.option(
        "--at",
        metavar="TIME",
        callback=_moment,
        help=f"{what} (RFC 3339 with a zone, such as 2026-03-01T10:00:00Z); default now.",
    )


def _moment(_context: click.Context, _parameter: click.Parameter, text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter("not a date-time") from error
    if moment.tzinfo is None:
        raise click.BadParameter("the time needs a zone, such as Z or +01:00")
    if not _EARLIEST_YEAR <= moment.year < MAXYEAR:
        # Days and zones are added to the moment, and must not leave the calendar.
        raise click.BadParameter("not a year of our time")
    return moment


def check_client(name: str, known: Collection[str], option: str) -> None:
    """Refuse a client that neither the configuration nor the log knows: an empty answer would look like a quiet one.

    A usage error that names the known ones.
    """
    if name not in known:
        others = ", ".join(sorted(map(printable, known))) or "none"
        raise click.BadParameter(f"there is no client {name!r}; known are: {others}", param_hint=option)


def offered_service(name: str) -> ServiceDefinition:
    """Return a CDS Service by its id. A usage error that names the services for any other."""
    # Loaded when used: the application is no part of most commands.
    from cds_service.app import SERVICES

    for service in SERVICES:
        if service.id == name:
            return service
    known = ", ".join(service.id for service in SERVICES)
    raise click.BadParameter(f"there is no CDS Service {name!r}; known are: {known}", param_hint="--service")


def load_or_defaults(config_file: Path | None) -> Settings:
    """Load the configuration like `load_or_exit`; without a file defaults and environment stand, without warnings.

    For commands that serve nobody: authentication is the one default that asks for more configuration.
    """
    if config_file is not None:
        return load_or_exit(config_file)
    try:
        return load_settings(None, {_NO_AUTHENTICATION: "false", **os.environ})
    except SettingsError as error:
        refuse(error)


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
