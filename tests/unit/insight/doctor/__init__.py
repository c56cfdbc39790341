"""Doctor: what it counts, what it concludes, what it shows."""
