"""Data that were not required and that nobody delivered: the card says so instead of passing over it.

Conditions and procedures are such data only where the site lets the EHR vouch for the patient (eligibility "assume").
"""

from __future__ import annotations

from enum import Enum


class Gap(Enum):
    """Data that are missing or failed, or of which a part came: the prefetch key, and whether a part came.

    Of the albumin the assessment tells whether any came.
    """

    PATIENT = ("patient", False)
    CONDITIONS = ("conditions", False)
    SOME_CONDITIONS = ("conditions", True)
    PROCEDURES = ("procedures", False)
    SOME_PROCEDURES = ("procedures", True)
    ALBUMIN = ("albumin", False)

    @property
    def key(self) -> str:
        """The prefetch key."""
        return self.value[0]
