"""sii-cds config init: the configuration that a hospital starts from, with the audit key and the folders beside it."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from cds_service.cli.no_configuration import USUAL_NAME
from cds_service.cli.options import chosen_file, config_option
from cds_service.settings.starting_file import AUDIT_FOLDER, AUDIT_KEY, KEY_SET, STATE_FOLDER, starting_file

if TYPE_CHECKING:
    from collections.abc import Iterator

_KEY_BYTES: Final = 32


@click.command("init", epilog="Example: sii-cds config init sii-cds.yaml")
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@config_option
def init(file: Path | None, config_file: Path | None) -> None:
    """Write a starting configuration: silent, authenticated, with one client to fill in.

    FILE is sii-cds.yaml unless it is named. Beside it the key of the audit chain and the folders audit/ and state/ are
    made, for their owner alone; what is there already stays as it is. A FILE that is there is never overwritten.
    """
    target = chosen_file(file, config_file) or USUAL_NAME
    try:
        _write_new(target, starting_file().encode(), 0o644)
        made = tuple(_beside(target.parent))
    except FileExistsError:
        raise click.UsageError(f"{target}: exists, and is left as it is; name another file") from None
    except OSError as error:
        click.echo(f"{error.filename}: cannot be made: {error.strerror}", err=True)
        raise click.exceptions.Exit(1) from None
    _tell(target, made)


def _write_new(path: Path, content: bytes, mode: int) -> None:
    """Write a file that is not there yet. Raises FileExistsError."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as stream:
        stream.write(content)


def _beside(folder: Path) -> Iterator[tuple[Path, str]]:
    """Make what the starting file names; yield what was made, and what it is."""
    key = folder / AUDIT_KEY
    if not key.exists():
        _write_new(key, secrets.token_hex(_KEY_BYTES).encode() + b"\n", 0o600)
        yield key, "key of the audit chain; keep a copy where the log is not"
    for name, what in ((AUDIT_FOLDER, "records of the decisions"), (STATE_FOLDER, "used tokens, heads of the chain")):
        path = folder / name
        if not path.exists():
            path.mkdir(mode=0o700)
            yield path, what


def _tell(target: Path, made: tuple[tuple[Path, str], ...]) -> None:
    rows = ((str(target), "configuration: silent, authenticated"), *((str(path), what) for path, what in made))
    width = max(len(name) for name, _ in rows)
    for name, what in rows:
        click.echo(f"made {name:<{width}}  {what}")
    click.echo(
        f"""
Next:
  1. Fill in what {target} marks FILL IN: your address, your time zone, the EHR.
  2. Put the public keys of the EHR (a JWK Set) into {target.parent / KEY_SET}.
  3. sii-cds config check --config {target}
  4. sii-cds serve --config {target}
Before the EHR team is ready, "sii-cds client test" proves the wiring: docs/operations.md, The afternoon."""
    )
