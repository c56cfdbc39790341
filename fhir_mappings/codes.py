"""The form in which codes are compared."""

from typing import Protocol


class Coded(Protocol):
    """A row that has a code of a code system."""

    @property
    def system(self) -> str:
        """Key of the code system."""

    @property
    def code(self) -> str:
        """The code as published."""


def normalize_icd(code: str) -> str:
    """Return the form in which ICD and OPCS-4 codes are compared: without dot and surrounding space, upper case.

    VSAC stores `C220`, FHIR asks for `C22.0`; both become `C220`. Any text is accepted.
    """
    return code.strip().replace(".", "").upper()


def comparable(system: str, code: str, dotted: frozenset[str]) -> tuple[str, str]:
    """Return (system key, comparable code). `dotted`: keys of the systems whose dot and case do not matter."""
    return system, normalize_icd(code) if system in dotted else code
