"""Unit tests: one package, one behaviour at a time, no network."""
