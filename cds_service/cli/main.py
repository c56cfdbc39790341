"""The sii-cds command. Exit codes: 0 fine, 1 the checked thing is not fine, 2 usage."""

from __future__ import annotations

import importlib
from typing import Final

import click

# Loaded when called: `sii-cds --help` need not import the server, nor `serve` the demo.
_COMMANDS: Final = {
    "serve": ("cds_service.cli.serve:serve", "Run the service."),
    "demo": ("cds_service.cli.demo:demo", "Run the service with a small EHR page and synthetic patients."),
    "config": ("cds_service.cli.config:config_group", "Begin, check, describe and show the configuration."),
    "client": ("cds_service.cli.client:client_group", "Prove the wiring to an EHR, and explain a refused token."),
    "doctor": ("cds_service.cli.doctor:doctor_command", "Find out whether the rule can read a hospital's data."),
    "explain": ("cds_service.cli.explain:explain_command", "Explain how a hook request is assessed."),
    "monitor": ("cds_service.cli.monitor:monitor_command", "Find out whether the rule still behaves as it did."),
    "cohort": ("cds_service.cli.cohort:cohort_group", "Repeat the study on a hospital's own patients."),
    "audit": ("cds_service.cli.audit:audit_group", "Verify, search, show, report, export and replay the audit log."),
}


class _LazyGroup(click.Group):
    """A group that imports a subcommand when it is used."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Name the subcommands in the order of use."""
        return list(_COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a subcommand; None for an unknown name, which click turns into a usage error."""
        if cmd_name not in _COMMANDS:
            return None
        module, name = _COMMANDS[cmd_name][0].split(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the subcommands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in _COMMANDS.items()])


@click.group(
    cls=_LazyGroup,
    # Every subcommand takes these over.
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: sii-cds demo. Each command shows its own: sii-cds COMMAND -h",
)
@click.version_option(package_name="sii-cds", prog_name="sii-cds")
def main() -> None:
    """Decide whether the systemic immune-inflammation index signals a high risk of recurrence (CDS Hooks)."""
