"""What the audit commands share: the options that name a log, its configuration, and times as auditors write them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, NoReturn, TypeVar
from zoneinfo import ZoneInfo

import click

from cds_service.audit.files import look
from cds_service.audit.keys import read_key
from cds_service.audit.search import clients_of
from cds_service.cli.options import USAGE, check_client, config_option, load_or_exit
from cds_service.errors import ConfigurationError, StateUnavailableError
from cds_service.state.chain_heads import kept_head

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

    from cds_service.audit.chain import ChainHead
    from cds_service.settings import Settings

# As the weeks of `audit report` are named.
_WEEK: Final = re.compile(r"\d{4}-?W\d{2}")
_TO_SUNDAY: Final = timedelta(days=6)

_Command = TypeVar("_Command", bound="Callable[..., object]")


class Log(NamedTuple):
    """The log a command is about. `settings` is None for a directory outside any configuration."""

    directory: Path
    keys: tuple[bytes, ...]
    zone: tzinfo
    state_url: str | None
    settings: Settings | None

    @property
    def site_key(self) -> bytes | None:
        """The key that the site uses now, if a configuration tells; `keys` are this one and those given."""
        configured = self.settings is not None and self.settings.audit.hmac_key_file is not None
        return self.keys[0] if configured else None


def log_options(command: _Command) -> _Command:
    """Add the options that name a log: `--config`, `--directory` and `--key-file`."""
    directory = click.option(
        "--directory",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="Audit directory; else the one of the configuration.",
    )
    key_file = click.option(
        "--key-file",
        "key_files",
        multiple=True,
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Further key of the chain, such as one used before; may be repeated.",
    )
    return config_option(directory(key_file(command)))


def period_options(command: _Command) -> _Command:
    """Add `--since TIME` and `--until TIME`, both inclusive."""
    since = click.option("--since", metavar="TIME", help="ISO 8601 date, week or date-time, inclusive.")
    until = click.option("--until", metavar="TIME", help="ISO 8601 date, week or date-time, inclusive.")
    return since(until(command))


def period(since: str | None, until: str | None, zone: tzinfo) -> tuple[datetime | None, datetime | None]:
    """Read both ends of a period; a day or an ISO week alone means its first or last moment.

    A usage error for a period turned around.
    """
    first, last = _moment(since, "--since", zone), _moment(until, "--until", zone, last=True)
    if first is not None and last is not None and first > last:
        raise click.BadParameter(f"{until} lies before --since {since}", param_hint="--until")
    return first, last


def find_log(config_file: Path | None, directory: Path | None, key_files: tuple[Path, ...]) -> Log:
    """Take the log from the configuration; a directory given without one needs no configuration."""
    try:
        further = tuple(map(read_key, key_files))
        if config_file is None and directory is not None:
            return Log(directory, further, UTC, None, None)
        settings = load_or_exit(config_file, status=USAGE)
        key_file = settings.audit.hmac_key_file
        keys = (*((read_key(key_file),) if key_file is not None else ()), *further)
    except ConfigurationError as error:
        fail(str(error))
    state_url = settings.state.url if directory is None else None
    zone = ZoneInfo(settings.service.timezone)
    return Log(directory or settings.audit.directory, keys, zone, state_url, settings)


def _moment(text: str | None, option: str, zone: tzinfo, *, last: bool = False) -> datetime | None:
    """Read a time; a day or an ISO week alone means its first or its last moment."""
    if text is None:
        return None
    try:
        days = _days(text)
        if days is None:
            moment = datetime.fromisoformat(text)
        else:
            moment = datetime.combine(days[1], time.max) if last else datetime.combine(days[0], time.min)
    except (ValueError, OverflowError):
        raise click.BadParameter(f"{text!r} is not an ISO 8601 date, week or date-time", param_hint=option) from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)


def _days(text: str) -> tuple[date, date] | None:
    """Return the first and the last day of a day or an ISO week; None for what is neither."""
    try:
        first = date.fromisoformat(text)
    except ValueError:
        return None
    return first, first + _TO_SUNDAY if _WEEK.fullmatch(text) else first


def find_filled_log(config_file: Path | None, directory: Path | None, key_files: tuple[Path, ...]) -> Log:
    """Find a log that holds something: an empty answer about the wrong directory would look like a clean one."""
    log = find_log(config_file, directory, key_files)
    try:
        if not look(log.directory):
            fail(f"{log.directory}: there is no audit log in this directory")
    except OSError as error:
        refuse_log(log.directory, error)
    return log


def kept_head_of(log: Log) -> ChainHead | None:
    """Return the chain head that the state store keeps of a log; None for a log outside any configuration."""
    if log.state_url is None:
        return None
    try:
        return kept_head(log.state_url, log.directory)
    except StateUnavailableError as error:
        fail(f"the chain head cannot be read from the state store, give it with --head: {error}")


def check_log_client(log: Log, name: str | None) -> None:
    """Refuse a client that neither the configuration nor the log knows, as a usage error that names the known ones."""
    configured = {client.name for client in log.settings.clients} if log.settings is not None else set[str]()
    if name is None or name in configured:
        return
    try:
        check_client(name, configured | clients_of(log.directory), "--client")
    except OSError as error:
        refuse_log(log.directory, error)


def refuse_log(directory: Path, error: OSError) -> NoReturn:
    """Say that the log cannot be read, and exit 1; a reader of the output that went away is no fault of the log."""
    if isinstance(error, BrokenPipeError):
        raise error
    went = isinstance(error, FileNotFoundError)
    hint = "; if files were deleted meanwhile, as their time was over, run it again" if went else ""
    fail(f"{directory}: the audit log cannot be read: {error.strerror or error}{hint}")


def fail(text: str) -> NoReturn:
    """Say why the checked thing is not fine, and exit 1."""
    click.echo(text, err=True)
    raise click.exceptions.Exit(1)
