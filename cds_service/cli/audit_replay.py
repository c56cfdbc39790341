"""sii-cds audit replay: the recorded decisions, recomputed with today's code and tables."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from cds_service.cli.audit_log import fail, find_filled_log, log_options, period, period_options, refuse_log
from cds_service.reports.counts import counted, thousands
from cds_service.reports.printable import printable, printable_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo
    from pathlib import Path

    from cds_service.cli.audit_log import Log
    from cds_service.decision.site import Site
    from cds_service.insight.sources.replay import Compared, NotRecomputed, Recomputed, Unread


@click.command("replay", epilog="Example: sii-cds audit replay --config sii-cds.yaml")
@log_options
@period_options
@click.option(
    "--limits",
    type=click.Choice(["recorded", "current"]),
    default="recorded",
    help="Under which cut-off, windows and eligibility: those in force then (default), or those of the configuration.",
)
@click.option("--json", "json_lines", is_flag=True, help="Print JSON Lines: one for each difference, then the summary.")
def replay_command(
    config_file: Path | None,
    directory: Path | None,
    key_files: tuple[Path, ...],
    since: str | None,
    until: str | None,
    limits: str,
    json_lines: bool,
) -> None:
    """Recompute every recorded decision and list the differences: the regression test of an upgrade.

    Decisions are recomputed with the code of this installation and the mapping tables of the configuration, overlays
    included, as of their own moment and under the limits that were in force then. Exit code 1 when one differs, when
    none could be recomputed, or when a line of the log cannot be read.
    """
    log = find_filled_log(config_file, directory, key_files)
    first, last = period(since, until, log.zone)
    tally = Tally(log.zone, json_lines=json_lines)
    from cds_service.audit.reading import read_entries
    from cds_service.audit.records import HookRecord
    from cds_service.insight.sources.replay import replay

    def in_period(entry: Any) -> bool:
        record = entry.record
        return not isinstance(record, HookRecord) or (
            (first is None or record.time >= first) and (last is None or record.time <= last)
        )

    try:
        entries = filter(in_period, read_entries(log.directory))
        for found in replay(entries, sites_of(log), current_limits=limits == "current"):
            tally.count(found)
    except OSError as error:
        refuse_log(log.directory, error)
    tally.conclude(log.directory)


class Tally:
    """Counts what became of the records, and prints the differences as they come."""

    def __init__(self, zone: tzinfo, *, json_lines: bool) -> None:
        self._zone = zone
        self._json_lines = json_lines
        self._recomputed = 0
        self._different = 0
        self._unread = 0
        self._why_not: Counter[str] = Counter()

    def count(self, found: Recomputed | NotRecomputed | Unread) -> None:
        """Count one record; print it when it differs."""
        from cds_service.insight.sources.replay import NotRecomputed, Unread

        if isinstance(found, Unread):
            self._unread += 1
            click.echo(f"{found.file}:{found.line}: this line cannot be read; run sii-cds audit verify", err=True)
        elif isinstance(found, NotRecomputed):
            self._why_not[found.why] += 1
        else:
            self._recomputed += 1
            if found.now is not None:
                self._different += 1
                click.echo(_as_json(found) if self._json_lines else _as_line(found, self._zone))

    def conclude(self, directory: Path) -> None:
        """Print the summary; exit 1 when the decisions are not proved to be the same."""
        decisions = self._recomputed + sum(self._why_not.values())
        if self._json_lines:
            summary = {"recomputed": self._recomputed, "different": self._different, "notRecomputed": self._why_not}
            click.echo(printable_json(json.dumps({"summary": summary | {"unreadable": self._unread}})))
        else:
            click.echo(f"{counted(self._recomputed, 'decision')} recomputed, {thousands(self._different)} differ.")
            click.echo(f"{sum(self._why_not.values())} could not be recomputed{'.' if not self._why_not else ':'}")
            for why, count in sorted(self._why_not.items()):
                click.echo(printable(f"  {count}: {why}"))
        if self._unread:
            fail(f"{directory}: lines that cannot be read: {self._unread}")
        if not self._recomputed:
            fail(
                f"{directory}: " + ("none of the decisions can be recomputed" if decisions else "there is no decision")
            )
        if self._different:
            raise click.exceptions.Exit(1)


def sites_of(log: Log) -> Mapping[str, Site]:
    """Take the mapping tables from the configuration; those of the package for a directory without one."""
    from cds_service.app import SERVICES
    from cds_service.decision.site import sites_from_settings
    from cds_service.settings import SettingsError, settings_from_dict

    settings = log.settings or settings_from_dict({"authentication": {"required": False}}, log.directory)
    try:
        return sites_from_settings(settings, SERVICES)
    except SettingsError as error:
        fail("\n".join(map(str, error.problems)))


def _as_line(found: Recomputed, zone: tzinfo) -> str:
    if found.now is None:
        return ""
    changed = ", ".join(name.replace("_", " ") for name in found.changed)
    moment = found.time.astimezone(zone).isoformat(timespec="seconds")
    return printable(
        f"record {found.sequence}  {moment}  {_told(found.then)} -> {_told(found.now)}"
        f"  (request {found.request_id}; {changed})"
    )


def _told(verdict: Compared) -> str:
    sii = f" SII {verdict.sii}" if verdict.sii is not None else ""
    drawn = f" of {verdict.sample_time}" if verdict.sample_time is not None and verdict.sii is not None else ""
    reasons = f" [{', '.join(verdict.reasons)}]" if verdict.reasons else ""
    return f"{verdict.outcome}{sii}{drawn}{reasons}"


def _as_json(found: Recomputed) -> str:
    import msgspec

    members = msgspec.to_builtins(found)
    return printable_json(json.dumps({"sequence": members.pop("sequence"), **members}))
