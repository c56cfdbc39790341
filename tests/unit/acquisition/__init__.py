"""Prefetch states, Bundles and typed resources."""
