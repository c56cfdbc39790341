"""sii-cds config: check a configuration, describe it, and show what is in effect."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from cds_service.audit.standing import site_notices
from cds_service.audit.trial import folder_notices, write_problems
from cds_service.cli.config_init import init
from cds_service.cli.named_parts import load_usable_or_exit
from cds_service.cli.options import chosen_file, config_option, load_or_exit
from cds_service.reports.counts import counted
from cds_service.settings.defaults import commented_defaults, yaml_text
from cds_service.settings.errors import dotted
from cds_service.settings.models import RESTART_KEYS, Settings, plain


@click.group("config", epilog="Example: sii-cds config check --config sii-cds.yaml")
def config_group() -> None:
    """Begin, check, describe and show the configuration."""


config_group.add_command(init)


@config_group.command("check", epilog="Example: sii-cds config check sii-cds.yaml")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@config_option
def check(file: Path | None, config_file: Path | None) -> None:
    """Check FILE and the environment, and print every problem with its position.

    Without FILE the file of --config or SII_CDS_CONFIG is checked. The folders of the audit log and of the state store
    are tried by writing there, which leaves nothing behind: run it as the user of the service. Notes tell what is to
    be known of them and of files that others can read. Exit code 1 when there is a problem, 2 when there is no file or
    it cannot be opened; warnings alone give 0.
    """
    target = chosen_file(file, config_file)
    settings = load_usable_or_exit(target)
    for notice in (*site_notices(settings, datetime.now(UTC).date()), *folder_notices(settings)):
        click.echo(f"note: {notice}", err=True)
    _refuse_unwritable(settings, target)
    count = len(settings.warnings)
    remark = f", with {counted(count, 'warning')}" if count else ""
    click.echo(f"{target or 'defaults and environment'}: configuration {settings.hash} is fine{remark}.")
    click.echo(
        f"A reload (SIGHUP) brings every change into effect, but these need a restart: {', '.join(RESTART_KEYS)}."
    )


def _refuse_unwritable(settings: Settings, target: Path | None) -> None:
    """Try to write where the service writes. Exits 1 where it could not."""
    problems = tuple(write_problems(settings))
    for problem in problems:
        click.echo(f"{target or 'defaults and environment'}: {problem}", err=True)
    if problems:
        raise click.exceptions.Exit(1)


@config_group.command("schema", epilog="Example: sii-cds config schema > sii-cds.schema.json")
def schema() -> None:
    """Print the JSON Schema of the configuration file, for editors."""
    described = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Settings.model_json_schema()}
    click.echo(json.dumps(described, indent=2))


@config_group.command("defaults", epilog="Example: sii-cds config defaults > all-keys.yaml")
def defaults() -> None:
    """Print a commented configuration file with every key."""
    click.echo(commented_defaults(), nl=False)


@config_group.command("show", epilog="Example: sii-cds config show --config sii-cds.yaml")
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(config_file: Path | None, as_json: bool) -> None:
    """Print every value in effect and where it came from.

    Secrets are not shown: the configuration holds the paths of their files only.
    """
    settings = load_or_exit(config_file)
    if as_json:
        click.echo(json.dumps(_as_json(settings), indent=2))
        return
    rows = [(dotted(path), yaml_text(value)) for path, value in settings.effective_values()]
    key_width, value_width = (max(len(row[column]) for row in rows) for column in (0, 1))
    for key, value in rows:
        click.echo(f"{key:<{key_width}}  {value:<{min(value_width, 40)}}  {settings.origins[key]}")
    click.echo(f"configuration {settings.hash}")


def _as_json(settings: Settings) -> dict[str, object]:
    values = {
        dotted(path): {"value": plain(value), "origin": settings.origins[dotted(path)]}
        for path, value in settings.effective_values()
    }
    return {"hash": settings.hash, "values": values, "warnings": list(settings.warnings)}
