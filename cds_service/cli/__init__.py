"""The sii-cds command: its subcommands, and the server they start."""
