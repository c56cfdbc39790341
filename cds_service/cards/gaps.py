"""Optional data that nobody delivered: the card says so instead of passing over it (design section 4)."""

from __future__ import annotations

from enum import StrEnum


class Gap(StrEnum):
    """Data that are missing, failed, or not complete. The values are the prefetch keys."""

    PATIENT = "patient"
    ALBUMIN = "albumin"
