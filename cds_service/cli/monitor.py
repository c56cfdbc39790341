"""sii-cds monitor: does the rule still behave as it did?"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn
from zoneinfo import ZoneInfo

import click

from cds_service.audit.records import FIRST_SERVICE
from cds_service.cli.files import STANDARD_OUTPUT
from cds_service.cli.options import check_client, config_option, read_or_exit
from cds_service.cli.shown import csv_option, html_option, json_option, show
from cds_service.errors import MissingExtraError, PeriodError
from cds_service.settings.time_zones import time_zone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from cds_service.insight.monitor.days import Tallies
    from cds_service.insight.monitor.monitoring import Monitoring
    from cds_service.insight.monitor.periods import Periods, Wanted

_CANNOT: Final = 2
_DAY: Final = timedelta(days=1)


class _DayType(click.ParamType[date]):
    """A day such as 2026-01-31."""

    name = "day"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            return datetime.strptime(str(value), "%Y-%m-%d").date()  # noqa: DTZ007  a day has no zone
        except ValueError:
            self.fail(f"{value!r} is not a day such as 2026-01-31", param, ctx)


class _ZoneType(click.ParamType[tzinfo]):
    """A time zone such as Europe/Berlin."""

    name = "zone"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tzinfo:
        if isinstance(value, tzinfo):
            return value
        try:
            return ZoneInfo(time_zone(str(value)))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class _Log(NamedTuple):
    """The directories of the log, the zone in which days are counted, and the clients of the configuration, if any."""

    directories: tuple[Path, ...]
    zone: tzinfo
    clients: tuple[str, ...] = ()


class _Told(NamedTuple):
    """What was found in which log, and when, in the zone of the days."""

    result: Monitoring
    tallies: Tallies
    now: datetime


_DAY_TYPE: Final = _DayType()


@click.command("monitor", epilog="Example: sii-cds monitor --config sii-cds.yaml --html monitor.html")
@config_option
@click.option(
    "--directory",
    "directories",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Audit directory; may be repeated for several hosts. Else the one of the configuration.",
)
@click.option(
    "--timezone",
    type=_ZoneType(),
    metavar="ZONE",
    help="Zone in which days are counted; else service.timezone.",
)
@click.option("--service", default=FIRST_SERVICE, show_default=True, metavar="ID", help="The CDS Service by its id.")
@click.option("--since", type=_DAY_TYPE, metavar="DAY", help="First day to judge; else 28 days before the last.")
@click.option("--until", type=_DAY_TYPE, metavar="DAY", help="Last day to judge; else yesterday.")
@click.option("--baseline-since", type=_DAY_TYPE, metavar="DAY", help="First day of a period known to be clean.")
@click.option("--baseline-until", type=_DAY_TYPE, metavar="DAY", help="Its last day; else the day before --since.")
@click.option(
    "--baseline-days",
    type=click.IntRange(21, 730),
    default=56,
    show_default=True,
    help="Length of the baseline where --baseline-since is not given.",
)
@click.option(
    "--leave-out", multiple=True, type=_DAY_TYPE, metavar="DAY", help="A day to ignore, such as a downtime; repeatable."
)
@click.option(
    "--leave-out-client", "left_out_clients", multiple=True, metavar="NAME", help="A client to ignore; may be repeated."
)
@click.option("--client", metavar="NAME", help="Judge this client alone.")
@click.option(
    "--false-alarms",
    type=click.FloatRange(0, 100, min_open=True),
    default=1.0,
    show_default=True,
    help="Accepted false findings in 100 days, over all charts and clients together.",
)
@json_option
@csv_option
@html_option
@click.option(
    "--metrics",
    "metrics_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write a file for the textfile collector of the Prometheus node exporter.",
)
def monitor_command(
    config_file: Path | None,
    directories: tuple[Path, ...],
    timezone: tzinfo | None,
    service: str,
    leave_out: tuple[date, ...],
    left_out_clients: tuple[str, ...],
    client: str | None,
    false_alarms: float,
    **others: Any,
) -> None:
    """Judge the newest complete days of the audit log by those before, and name what changed.

    Exit code 0 when all is as usual, 1 when a finding is open, nobody calls, or a line of the log cannot be read, 2
    when the monitor could not run. Days are those of service.timezone; today is shown but not judged. A log that is
    too young to tell what is usual is said to be so, with exit code 0.
    """
    # Loaded when used: numpy and the monitor are no part of any other command.
    from cds_service.insight.monitor.monitoring import monitor
    from cds_service.insight.monitor.periods import Wanted

    log = _find_log(config_file, directories, timezone)
    now = datetime.now(log.zone)
    files = {name: others.pop(name) for name in ("html_file", "json_file", "csv_file", "metrics_file")}
    wanted = Wanted(left_out=frozenset(leave_out), **others)
    tallies, periods = _read(log, wanted, now.date(), service)
    _choose_clients(tallies, log, client, left_out_clients)
    result = monitor(tallies, periods, false_alarms)
    _write_all(_Told(result, tallies, now), files)
    if result.open_findings or tallies.unreadable or not tallies.days:
        raise click.exceptions.Exit(1)


def _choose_clients(tallies: Tallies, log: _Log, client: str | None, left_out: tuple[str, ...]) -> None:
    """Keep the clients that are to be judged. A usage error for one that nobody knows."""
    known = {*tallies.clients, *log.clients}
    for name in left_out:
        check_client(name, known, "--leave-out-client")
    if client is not None:
        check_client(client, known, "--client")
        left_out = (*left_out, *(known - {client}))
    tallies.forget(left_out)


def _find_log(config_file: Path | None, directories: tuple[Path, ...], zone: tzinfo | None) -> _Log:
    """Take the log from the configuration; directories need none, and count days in UTC if no zone is given."""
    if directories and (config_file is None or zone is not None):
        return _Log(directories, zone or UTC)
    settings = read_or_exit(config_file, status=_CANNOT)
    clients = tuple(client.name for client in settings.clients)
    return _Log(directories or (settings.audit.directory,), zone or ZoneInfo(settings.service.timezone), clients)


def _read(log: _Log, wanted: Wanted, today: date, service: str) -> tuple[Tallies, Periods]:
    from cds_service.insight.monitor.days import tally_logs
    from cds_service.insight.monitor.periods import choose_periods

    try:
        # The day before tells nothing but that the baseline's first day is a whole one.
        read_since = choose_periods(wanted, today, None).baseline_first - _DAY
        tallies = tally_logs(log.directories, log.zone, read_since, service)
        if tallies.records == 0:
            raise PeriodError(f"{', '.join(map(str, log.directories))}: there is no record since {read_since}")
        return tallies, choose_periods(wanted, today, tallies.first_day)
    except PeriodError as error:
        _refuse(str(error))
    except OSError as error:
        place = error.filename or ", ".join(map(str, log.directories))
        _refuse(f"{place}: the audit log cannot be read: {error.strerror or error}")


def _write_all(told: _Told, files: Mapping[str, Path | None]) -> None:
    """Print the report, unless another form of it goes to standard output, and write each file asked for."""
    from cds_service.insight.monitor.exposition import write_metrics
    from cds_service.insight.monitor.figures import as_object
    from cds_service.insight.monitor.report import monitor_document
    from cds_service.reports.as_csv import as_csv
    from cds_service.reports.as_html import as_html
    from cds_service.reports.as_json import as_json

    document = monitor_document(*told)
    if STANDARD_OUTPUT not in files.values():
        show(document)
    forms: dict[str, Callable[[], str]] = {
        "json_file": lambda: as_json(as_object(told.result, told.tallies)) + "\n",
        "csv_file": lambda: as_csv(document),
        "html_file": lambda: as_html(document),
    }
    for name, form in forms.items():
        if (file := files[name]) is not None:
            with _writing(file):
                _put(file, form())
    if (metrics := files["metrics_file"]) is not None:
        with _writing(metrics):
            write_metrics(metrics, *told)


def _put(file: Path, text: str) -> None:
    if file == STANDARD_OUTPUT:
        click.echo(text, nl=False)
    else:
        file.write_text(text, encoding="utf-8")


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Say in a sentence why a file could not be written."""
    try:
        yield
    except OSError as error:
        _refuse(f"{path}: cannot be written: {error.strerror or error}")
    except MissingExtraError as error:
        _refuse(str(error))


def _refuse(text: str) -> NoReturn:
    click.echo(text, err=True)
    raise click.exceptions.Exit(_CANNOT)
