"""Synthetic cohorts: folders of assessed rows, and exports whose right rows are known."""
