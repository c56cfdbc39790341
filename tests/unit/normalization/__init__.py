"""Codes, units, values, times, subjects, draws and eligibility facts: what counts, and the one reason why not."""
