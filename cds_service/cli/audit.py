"""sii-cds audit: verify the log, search it, report on it, hand it on, and recompute what it holds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import click

from cds_service.audit.chain import SHA256, ChainHead
from cds_service.audit.reading import verify_log
from cds_service.cli.audit_export import export_command
from cds_service.cli.audit_log import (
    Log,
    fail,
    find_log,
    kept_head_of,
    log_options,
    refuse_log,
)
from cds_service.cli.audit_replay import replay_command
from cds_service.cli.audit_report import report_command
from cds_service.cli.audit_search import search_command
from cds_service.cli.audit_show import show_command
from cds_service.reports.counts import counted, thousands
from cds_service.reports.printable import printable

if TYPE_CHECKING:
    from pathlib import Path

    from cds_service.audit.verification import Verification

_HEAD: Final = re.compile(r"([1-9][0-9]{0,17}):([0-9a-fA-F]{64})")


class _HeadType(click.ParamType[ChainHead]):
    """`SEQUENCE:LINK`, as `audit verify` prints it."""

    name = "sequence:link"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> ChainHead:
        found = _HEAD.fullmatch(str(value))
        if found is None:
            self.fail(f"{value!r} is not SEQUENCE:LINK, a number from 1 on and 64 hexadecimal digits", param, ctx)
        return ChainHead("", int(found[1]), found[2].lower())


@click.group("audit", epilog="Example: sii-cds audit search --patient 123 --config sii-cds.yaml")
def audit_group() -> None:
    """Verify, search, show, report, export and replay the audit log."""


@audit_group.command("verify", epilog="Example: sii-cds audit verify --config sii-cds.yaml")
@log_options
@click.option("--head", "head", type=_HeadType(), help="A chain head of the operational log that must be there.")
def verify(
    config_file: Path | None, directory: Path | None, key_files: tuple[Path, ...], head: ChainHead | None
) -> None:
    """Prove that no record was changed, removed, inserted or moved.

    Exit code 0 when the log is whole, 1 when it is not; then the first broken record is named. The newest records
    are proved to be there by the chain head that the state store keeps, or by the one given.
    """
    log = find_log(config_file, directory, key_files)
    head = head or kept_head_of(log)
    try:
        found = verify_log(log.directory, log.keys, head, site_key=log.site_key)
    except OSError as error:
        refuse_log(log.directory, error)
    if found.files == 0:
        missing = f"; the chain head names record {head.sequence}" if head is not None else ""
        fail(f"{log.directory}: there is no audit log in this directory{missing}")
    _print_verification(found, head, log)


def _print_verification(found: Verification, head: ChainHead | None, log: Log) -> None:
    for note in found.notes:
        click.echo(printable(f"note: {note}"))
    if found.algorithm == SHA256:
        click.echo(
            "note: chained without a key: who can rewrite all files can forge them; audit.hmac_key_file prevents it"
        )
    if head is None:
        click.echo("note: no chain head is kept outside this log, so records removed from its end would not be found")
    if found.broken is not None:
        broken = found.broken
        fail(printable(f"{log.directory / broken.file}:{broken.line}: {broken.why}"))
    counts = ", ".join(f"{thousands(count)} {kind}" for kind, count in sorted(found.counts.items()))
    records = sum(found.counts.values())
    told = f"{counted(records, 'record')} in {counted(found.files, 'file')} {'is' if records == 1 else 'are'} whole"
    click.echo(f"{log.directory}: {told} ({counts}).")
    if found.head is not None:
        click.echo(f"chain head {found.head.sequence}:{found.head.link} ({found.algorithm})")


audit_group.add_command(search_command)
audit_group.add_command(show_command)
audit_group.add_command(report_command)
audit_group.add_command(export_command)
audit_group.add_command(replay_command)
