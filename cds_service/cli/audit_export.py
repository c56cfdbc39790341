"""sii-cds audit export: the records as FHIR AuditEvents, to a file or to an audit repository."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from cds_service.audit.events.references import REFERENCE_FORMS, References
from cds_service.audit.search import Found, Query, Unreadable, search
from cds_service.cli.audit_log import fail, find_filled_log, log_options, period, period_options, refuse_log
from cds_service.cli.files import STANDARD_OUTPUT, open_whole
from cds_service.foreign_bytes import text_of
from cds_service.reports.counts import counted
from cds_service.reports.printable import printable
from cds_service.settings.network import secure_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cds_service.audit.events.posting import Repository
    from cds_service.audit.events.references import ReferenceForm
    from cds_service.cli.audit_log import Log

_RESOURCE_TYPE = "AuditEvent"
_MOST_NUMBERS = 20


class Exported(NamedTuple):
    """One event, ready to leave."""

    sequence: int
    event_id: str
    body: bytes


class Tally:
    """What did not become an event, told as it is met."""

    def __init__(self) -> None:
        self.invalid = 0
        self.unreadable = 0
        self.refused: list[int] = []

    def fail_if_incomplete(self, directory: Path) -> None:
        """Exit 1 when a record is missing from the export."""
        if self.invalid or self.unreadable or self.refused:
            refused = f", records the repository refused: {_numbers(self.refused)}" if self.refused else ""
            fail(
                f"{directory}: the export is not complete: records that are no valid AuditEvent: {self.invalid}, "
                f"lines that cannot be read: {self.unreadable}{refused}"
            )


def _numbers(records: list[int]) -> str:
    """Name the first of them; a repository that refuses everything must not fill the screen."""
    named = ", ".join(map(str, records[:_MOST_NUMBERS]))
    return f"{len(records)} ({named}{', …' if len(records) > _MOST_NUMBERS else ''})"


def _base(_context: click.Context, _option: click.Parameter, text: str | None) -> str | None:
    """Accept a FHIR base or its AuditEvent address."""
    if text is None:
        return None
    try:
        base = secure_url(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    return base if base.endswith(f"/{_RESOURCE_TYPE}") else f"{base}/{_RESOURCE_TYPE}"


@click.command("export", epilog="Example: sii-cds audit export --fhir --output events.ndjson")
@log_options
@period_options
@click.option("--fhir", is_flag=True, help="As FHIR R4 AuditEvent resources; the one form there is.")
@click.option(
    "--output", type=click.Path(path_type=Path), metavar="FILE", help='NDJSON file; "-", the default: standard output.'
)
@click.option("--post", "base", callback=_base, metavar="URL", help="Send to this FHIR server instead; https.")
@click.option("--token-file", type=click.Path(path_type=Path), metavar="FILE", help="Bearer token for --post.")
@click.option("--create", is_flag=True, help="POST (IHE ITI-20) and let the repository give ids; else PUT by id.")
@click.option(
    "--references",
    type=click.Choice(REFERENCE_FORMS),
    default="relative",
    show_default=True,
    help="How patients, users and results are named: absolute, at the client's FHIR server; logical, by identifier, "
    "for a repository that looks up references and does not hold them (HAPI).",
)
@click.option("--skip-refused", is_flag=True, help="Leave out what the repository refuses, list it, and exit 1.")
@click.option("--after", type=click.IntRange(min=0), default=0, metavar="RECORD", help="Go on after this record.")
def export_command(
    config_file: Path | None,
    directory: Path | None,
    key_files: tuple[Path, ...],
    since: str | None,
    until: str | None,
    fhir: bool,
    output: Path | None,
    base: str | None,
    token_file: Path | None,
    create: bool,
    references: ReferenceForm,
    skip_refused: bool,
    after: int,
) -> None:
    """Export hook calls and feedback as AuditEvents on the pattern of IHE BALP, without laboratory values.

    Each event is validated before it leaves. The id of an event is made from its record, so that exporting again
    gives the same events. Exit code 1 when a record is missing from the export, or the repository refuses one.
    """
    _check_usage(fhir=fhir, output=output, base=base, only_posted=(token_file is not None, create, skip_refused))
    log = find_filled_log(config_file, directory, key_files)
    first, last = period(since, until, log.zone)
    tally = Tally()
    events = _events(log, Query(since=first, until=last), after, tally, _references(log, references))
    try:
        if base is None:
            _write(events, output or STANDARD_OUTPUT)
        else:
            repository = _repository(log, base, token_file, create=create)
            _send(events, repository, after, tally, skip_refused=skip_refused)
    except OSError as error:
        refuse_log(log.directory, error)
    tally.fail_if_incomplete(log.directory)


def _check_usage(*, fhir: bool, output: Path | None, base: str | None, only_posted: tuple[bool, bool, bool]) -> None:
    if not fhir:
        raise click.UsageError("say the form: --fhir")
    if base is not None and output is not None:
        raise click.UsageError("--output and --post exclude each other")
    if base is None and any(only_posted):
        raise click.UsageError("--token-file, --create and --skip-refused need --post")


def _references(log: Log, form: ReferenceForm) -> References:
    """Know the FHIR server of each client that has one alone."""
    clients = log.settings.clients if log.settings is not None else ()
    servers = {client.name: str(client.fhir_servers[0]) for client in clients if len(client.fhir_servers) == 1}
    if form == "absolute" and not servers:
        fail("--references absolute: no client of the configuration has exactly one entry under fhir_servers")
    return References(form, servers)


def _events(log: Log, query: Query, after: int, tally: Tally, references: References) -> Iterator[Exported]:
    from cds_service.audit.events.building import Observer, audit_event
    from cds_service.audit.events.checking import InvalidEventError, event_checker

    observer = Observer(log.settings.service.public_url if log.settings is not None else "", references)
    check: Callable[[dict[str, Any]], bytes] = event_checker()
    for found in search(log.directory, query):
        if isinstance(found, Unreadable):
            tally.unreadable += 1
            click.echo(f"{found.file}:{found.line}: this line cannot be read; run sii-cds audit verify", err=True)
        elif isinstance(found, Found) and found.sequence > after:
            event = audit_event(found, observer)
            try:
                yield Exported(found.sequence, event["id"], check(event))
            except InvalidEventError as error:
                tally.invalid += 1
                click.echo(printable(f"record {found.sequence}: is no valid AuditEvent: {error}"), err=True)


def _write(events: Iterator[Exported], file: Path) -> None:
    written = 0
    with open_whole(file) as stream:
        for event in events:
            stream.write(event.body + b"\n")
            written += 1
    click.echo(f"{counted(written, 'event')} written.", err=True)


def _send(events: Iterator[Exported], repository: Repository, after: int, tally: Tally, *, skip_refused: bool) -> None:
    from cds_service.audit.events.posting import PostingError, RefusedEventError

    sent, newest = 0, after
    with repository:
        for event in events:
            try:
                repository.send(event.event_id, event.body)
                sent += 1
            except RefusedEventError as error:
                if not skip_refused:
                    fail(
                        f"stopped at record {event.sequence}: {error}; {counted(sent, 'event')} sent.\n"
                        f"--after {event.sequence} goes on without this record, --after {newest} tries it again, "
                        f"--skip-refused leaves out what is refused{_advice(str(error))}"
                    )
                tally.refused.append(event.sequence)
                click.echo(printable(f"record {event.sequence}: left out: {error}"), err=True)
            except PostingError as error:
                so_far = f"{counted(sent, 'event')} sent"
                fail(f"stopped at record {event.sequence}: {error}; {so_far}; go on with --after {newest}")
            newest = event.sequence
    click.echo(f"{counted(sent, 'event')} sent; the newest is record {newest}.")


def _advice(said: str) -> str:
    """Name the way out of the refusal that a repository of audit events alone makes most often."""
    looks_up = "not found" in said or "external reference" in said
    return "; --references logical names resources that the repository does not hold" if looks_up else ""


def _repository(log: Log, base: str, token_file: Path | None, *, create: bool) -> Repository:
    from cds_service.audit.events.posting import Repository

    acquisition = log.settings.acquisition if log.settings is not None else None
    return Repository(
        base,
        _token(token_file) if token_file is not None else None,
        create=create,
        ca_file=acquisition.ca_file if acquisition is not None else None,
        proxy=acquisition.proxy if acquisition is not None else None,
    )


def _token(file: Path) -> str:
    try:
        token = text_of(file.read_bytes()).strip()
    except OSError as error:
        fail(f"{file}: the token cannot be read: {error.strerror}")
    except ValueError as error:
        fail(f"{file}: {error}")
    if not token or any(not "!" <= character <= "~" for character in token):
        fail(f"{file}: holds no token of one line")
    return token
