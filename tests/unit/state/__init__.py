"""The state store: used tokens, chain heads, snoozes, and the file they lie in."""
