"""What subcommands share: the options that name the configuration file and a moment, and loading the configuration."""

from __future__ import annotations

import os
from datetime import MAXYEAR, UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn, TypeVar

import click
from click.core import ParameterSource

from cds_service.cli.no_configuration import CONFIG_VARIABLE, no_configuration, unreadable_configuration
from cds_service.cli.problem_lines import print_problems
from cds_service.reports.printable import printable
from cds_service.settings import Settings, SettingsError, load_settings
from cds_service.settings.load import NO_FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from cds_service.decision.definition import ServiceDefinition

USAGE: Final = 2
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

    For commands that serve nobody: authentication is the one default that asks for more configuration. Their exit code
    1 is about what they examine, so a configuration that cannot be used is 2.
    """
    if config_file is not None:
        return load_or_exit(config_file, status=USAGE)
    return read_or_exit(None, {_NO_AUTHENTICATION: "false", **os.environ}, status=USAGE)


def load_or_exit(config_file: Path | None, environ: Mapping[str, str] | None = None, *, status: int = 1) -> Settings:
    """Load the configuration like `read_or_exit`, and print its warnings to stderr."""
    settings = read_or_exit(config_file, environ, status=status)
    for warning in settings.warnings:
        click.echo(f"warning: {warning}", err=True)
    return settings


def read_or_exit(config_file: Path | None, environ: Mapping[str, str] | None = None, *, status: int = 1) -> Settings:
    """Load the configuration; when it cannot be used, print every problem to stderr and exit.

    Exits 2 where there is none, or its file cannot be opened, and with `status` where what it holds is wrong. `environ`
    is the process environment unless given.
    """
    try:
        return load_settings(config_file, os.environ if environ is None else environ)
    except SettingsError as error:
        refuse(error, config_file, status)


def check_named(config_file: Path | None) -> None:
    """Exit 2 where there is no configuration, or its file cannot be opened; what it holds is judged by others."""
    try:
        load_settings(config_file, os.environ)
    except SettingsError as error:
        _refuse_missing(error, config_file)


def refuse(error: SettingsError, config_file: Path | None, status: int) -> NoReturn:
    """Print every problem of a configuration to stderr and exit with `status`; 2 where there is none to speak of."""
    _refuse_missing(error, config_file)
    print_problems(error.problems)
    raise click.exceptions.Exit(status)


def _refuse_missing(error: SettingsError, config_file: Path | None) -> None:
    cause = error.__cause__
    if config_file is None:
        others = tuple(problem for problem in error.problems if problem.place != NO_FILE)
        if len(others) < len(error.problems):
            print_problems(others)
            _exit_with_usage(no_configuration())
    elif isinstance(cause, OSError | ValueError) and not isinstance(cause, UnicodeError):
        print_problems(error.problems)
        _exit_with_usage(unreadable_configuration(config_file, cause))


def _exit_with_usage(lines: Iterable[str]) -> NoReturn:
    for line in lines:
        click.echo(line, err=True)
    raise click.exceptions.Exit(USAGE)
