"""Get the data: prefetch states and typed resources."""
