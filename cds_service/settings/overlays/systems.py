"""Code systems of a site beside the known ones.

A system of the site's own is declared once, so that a misspelt URI in one of many rows is an error and not a second
system whose codes never match.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from cds_service.settings.overlays.entries import SITE_SOURCE
from cds_service.settings.suggestions import did_you_mean
from cds_service.settings.wording import shown
from fhir_mappings.check_digits import is_loinc_code, is_snomed_code
from fhir_mappings.codes import comparable
from fhir_mappings.models import CodeSystem

if TYPE_CHECKING:
    from cds_service.settings.overlays.entries import Entry, Findings
    from cds_service.settings.overlays.forms import CodedClaim, LocalSystem, Removal
    from fhir_mappings.mappings import Mappings

# What differs between two spellings of one address: protocol, "www.", the slash at the end.
_DRESSING: Final = re.compile(r"^https?://(www\.)?|/+$")
_CHECK_DIGITS: Final = {"loinc": ("LOINC", is_loinc_code), "snomed": ("SNOMED CT", is_snomed_code)}


class SystemDirectory:
    """Answers under which key the codes of a URI stand. `added` are the systems that overlays declare."""

    def __init__(self, shipped: Mappings, findings: Findings) -> None:
        """Start from the systems of the shipped tables."""
        self.added: dict[str, CodeSystem] = {}
        self._shipped = shipped
        self._findings = findings
        self._dotted = shipped.rows.dotted_systems
        self._faulty: set[str] = set()

    def declare(self, entry: Entry[LocalSystem]) -> None:
        """Add a system; one that is known, or known under a slightly different URI, becomes a finding."""
        uri = entry.row.uri
        if self._shipped.canonical_system(uri) is not None:
            self._findings.warnings.append(entry.problem(f"{uri} is known already; take the line out"))
            return
        known = self._known_alike(uri)
        if known is not None:
            self._faulty.add(uri)
            text = f'{shown(uri)} is not the known system (did you mean "{known}"?)'
            self._findings.problems.append(entry.problem(text))
            return
        before = self.added.get(uri)
        if before is not None and before.dotted != entry.row.dotted:
            text = f"{uri} is declared otherwise (dotted) in {before.origin}"
            self._findings.problems.append(entry.problem(text))
            return
        self.added.setdefault(uri, CodeSystem(uri, (uri,), entry.row.dotted, (SITE_SOURCE,), entry.origin))
        self._dotted |= {uri} if entry.row.dotted else frozenset()

    def key_of(self, entry: Entry[CodedClaim] | Entry[Removal]) -> tuple[str, str] | None:
        """Return (system key, comparable code) of a row, or None, with a finding, when system or code are wrong."""
        uri, code = entry.row.system, entry.row.code
        if uri in self._faulty:
            return None  # Reported where it is declared.
        system = uri if uri in self.added else self._shipped.canonical_system(uri)
        if system is None:
            hint = did_you_mean(uri, (*self._known_uris(), *self.added))
            text = f"{shown(uri)} is no known code system{hint}; declare a system of your own under systems"
            self._findings.problems.append(entry.problem(text, "system"))
            return None
        name, fits = _CHECK_DIGITS.get(system, ("", None))
        if fits is not None and not fits(code):
            self._findings.problems.append(entry.problem(wrong_check_digit(code, name), "code"))
            return None
        return comparable(system, code, self._dotted)

    def is_dotted(self, system: str) -> bool:
        """Tell whether codes of a system compare without dot and case, as those of ICD do."""
        return system in self._dotted

    def _known_uris(self) -> tuple[str, ...]:
        return tuple(uri for system in self._shipped.rows.systems for uri in system.uris)

    def _known_alike(self, uri: str) -> str | None:
        bare = _bare(uri)
        return next((known for known in self._known_uris() if _bare(known) == bare), None)


def wrong_check_digit(code: str, system: str) -> str:
    """Say that a text is no code of a system whose codes carry a check digit."""
    return f"{shown(code)} is no {system} code: form or check digit is wrong; look it up again"


def _bare(uri: str) -> str:
    return _DRESSING.sub("", uri.casefold())
