"""Data that were not required and that nobody delivered: the card says so instead of passing over it.

Conditions and procedures are such data only where the site lets the EHR vouch for the patient (eligibility "assume").
"""

from __future__ import annotations

from enum import StrEnum


class Gap(StrEnum):
    """Data that are missing, failed, or not complete. The values are the prefetch keys."""

    PATIENT = "patient"
    CONDITIONS = "conditions"
    PROCEDURES = "procedures"
    ALBUMIN = "albumin"
