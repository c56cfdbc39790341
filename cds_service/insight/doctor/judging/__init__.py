"""From counts to findings. Everything here is pure; `thresholds.py` holds every limit."""
