"""The subcommands of sii-cds: options and exit codes."""
