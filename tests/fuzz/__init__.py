"""Input that nobody would send on purpose, and what must hold all the same."""
