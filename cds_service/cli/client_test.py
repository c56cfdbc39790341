"""sii-cds client test: prove the wiring before the EHR team is ready, with an EHR of this command's own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from cds_service.cli.client_keys import ISSUER, KeyFolderError, TestKeys, keys_in
from cds_service.cli.client_proof import Caller, Proof, is_reached, prove
from cds_service.cli.client_smart import prove_trend_apps
from cds_service.cli.options import check_named, config_option, load_or_exit, refuse
from cds_service.settings import SettingsError, load_settings
from cds_service.settings.network import http_url

if TYPE_CHECKING:
    from cds_service.settings import Settings

FOLDER: Final = "client-test"


@click.command("test", epilog="Example: sii-cds client test --config sii-cds.yaml")
@click.option("--url", metavar="URL", help="Where the service is reached from here; else service.public_url.")
@click.option("--keys", "folder", type=click.Path(path_type=Path, file_okay=False), help="Folder of the key pair.")
@click.option("--algorithm", type=click.Choice(["ES384", "RS384"]), default="ES384", show_default=True)
@click.option("--smart", is_flag=True, help="Check what the trend app of each client needs; print its registration.")
@config_option
def test_command(url: str | None, folder: Path | None, algorithm: str, smart: bool, config_file: Path | None) -> None:
    """Call the running service as an EHR would, with a key pair made for this purpose.

    The first run makes the keys, prints the JWK Set and the entry for the configuration. When the entry is in place,
    run it again: discovery and a hook must be answered, bad tokens refused. The hook is for a patient who does not
    exist and leaves a line in the audit log. Exit code 1 when something does not work.

    With --smart nothing is called but the authorization servers: discovery, keys and issuer are checked, and the sheet
    for registering the trend app is printed.
    """
    if smart:
        prove_trend_apps(load_or_exit(config_file))
        return
    address = _address(url)
    # Before a key is made beside a file that was meant to be another.
    check_named(config_file)
    try:
        keys = keys_in(folder or _default_folder(config_file), algorithm)
    except KeyFolderError as error:
        raise click.UsageError(str(error)) from None
    if keys.made:
        _print_entry(keys)
    settings = _settings(config_file, keys)
    is_entered = any(client.issuer == ISSUER for client in settings.clients)
    if not is_entered and not keys.made:
        _print_entry(keys)
    caller = Caller(address or settings.service.public_url, settings.acquisition.ca_file)
    click.echo(f"Calling {caller.address}, with tokens for {settings.service.public_url}")
    proof = Proof()
    if is_reached(proof, caller):
        prove(proof, caller, keys, settings, is_entered=is_entered)
    click.echo(_conclusion(proof, is_entered=is_entered))
    if proof.failed or not is_entered:
        raise click.exceptions.Exit(1)


def _address(url: str | None) -> str | None:
    try:
        return http_url(url) if url is not None else None
    except ValueError as error:
        raise click.UsageError(f"--url {error}") from None


def _default_folder(config_file: Path | None) -> Path:
    return (config_file.parent if config_file is not None else Path.cwd()) / FOLDER


def _settings(config_file: Path | None, keys: TestKeys) -> Settings:
    """Load the configuration. One that lacks any client is refused as a whole: then the entry is what helps."""
    try:
        return load_settings(config_file, os.environ)
    except SettingsError as error:
        if not keys.made:
            _print_entry(keys)
        refuse(error, config_file, 1)


def _print_entry(keys: TestKeys) -> None:
    click.echo("The public key of the test client, as an EHR would publish it (JWK Set):")
    click.echo(keys.key_set.read_text(encoding="utf-8"))
    click.echo("Enter the test client in the configuration file, beside other clients if there are any:\n")
    click.echo(keys.snippet())
    click.echo(
        "\nA running service takes it up by itself within seconds. Take the entry out again before go-live: whoever "
        f"has {keys.key_set.parent} can call the service.\n"
    )


def _conclusion(proof: Proof, *, is_entered: bool) -> str:
    if proof.failed:
        return "\nNot everything works yet: mend what is marked FAIL, then run this again."
    if not is_entered:
        return "\nSo far all is well. Now enter the test client as shown above, then run this again."
    return "\nThe wiring works. Take the test client out of the configuration before go-live."
