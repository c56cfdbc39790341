"""The sii-cds command: arguments, output, exit codes."""
