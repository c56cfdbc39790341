"""Code systems of a site beside the known ones.

A system of the site's own is declared once, so that a misspelt URI in one of many rows is an error and not a second
system whose codes never match.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from cds_service.settings.overlays.entries import SITE_SOURCE
from cds_service.settings.wording import did_you_mean, shown
from fhir_mappings.check_digits import is_loinc_code, is_snomed_code
from fhir_mappings.codes import comparable
from fhir_mappings.models import CodeSystem

if TYPE_CHECKING:
    from cds_service.settings.overlays.entries import Entry, Findings
    from cds_service.settings.overlays.forms import (
        CodedClaim,
        ConditionCode,
        LocalOperation,
        LocalProcedure,
        LocalSystem,
        Removal,
    )
    from fhir_mappings.mappings import Mappings

# What differs between two spellings of one address: protocol, "www.", the slash at the end.
_DRESSING: Final = re.compile(r"^https?://(www\.)?|/+$")
# An ICD category has three characters; a shorter prefix would take in whole chapters.
_SHORTEST_PREFIX: Final = 3
_CHECK_DIGITS: Final = {"loinc": ("LOINC", is_loinc_code), "snomed": ("SNOMED CT", is_snomed_code)}


class SystemDirectory:
    """Answers under which key the codes of a URI stand. `added` are the systems that overlays declare."""

    def __init__(self, shipped: Mappings, findings: Findings) -> None:
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
        declared = self._declared(entry)
        if declared is None:
            self._faulty.add(uri)
            return
        before = self.added.setdefault(uri, declared)
        if before != declared:
            text = f"{uri} is declared otherwise in {before.origin}"
            self._findings.problems.append(entry.problem(text))
        self._dotted |= {uri} if before.dotted else frozenset()

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

    def parent_of(self, system: str) -> str:
        """Return a URI of the system whose edition a system is, shipped or added; empty for another system."""
        known = {shipped.key: shipped for shipped in self._shipped.rows.systems}
        found = self.added.get(system) or known.get(system)
        return known[found.edition].uris[0] if found is not None and found.edition else ""

    def may_be_prefix(
        self, entry: Entry[ConditionCode] | Entry[LocalProcedure] | Entry[LocalOperation], key: tuple[str, str]
    ) -> bool:
        """Tell whether a row may speak for every code below its own; a finding says why not."""
        if key[0] in self._dotted and len(key[1]) >= _SHORTEST_PREFIX:
            return True
        text = (
            f"true is for categories of ICD and systems like it (dotted, at least {_SHORTEST_PREFIX} characters), "
            f"not for {shown(entry.row.code)}"
        )
        self._findings.problems.append(entry.problem(text, "prefix"))
        return False

    def _declared(self, entry: Entry[LocalSystem]) -> CodeSystem | None:
        """Return the system that a row declares; None, with a finding, when its edition is wrong."""
        row = entry.row
        edition = ""
        if row.edition is not None:
            edition = row.edition.replace("-", "").casefold()
            known = {system.key: system for system in self._shipped.rows.systems if not system.edition}
            if edition not in known:
                names = sorted(known)
                text = f"{shown(row.edition)} is not one of {', '.join(names)}{did_you_mean(edition, names)}"
                self._findings.problems.append(entry.problem(text, "edition"))
                return None
            if row.dotted is not None and row.dotted != known[edition].dotted:
                text = f"an edition of {row.edition} is written as {row.edition} is; take the line out"
                self._findings.problems.append(entry.problem(text, "dotted"))
                return None
        dotted = known[edition].dotted if edition else bool(row.dotted)
        return CodeSystem(
            key=row.uri,
            uris=(row.uri,),
            dotted=dotted,
            sources=(SITE_SOURCE,),
            edition=edition,
            prefix=row.prefix,
            origin=entry.origin,
        )

    def _known_uris(self) -> tuple[str, ...]:
        return tuple(uri for system in self._shipped.rows.systems for uri in system.uris)

    def _known_alike(self, uri: str) -> str | None:
        bare = _bare(uri)
        return next((known for known in self._known_uris() if _bare(known) == bare), None)


def wrong_check_digit(code: str, system: str) -> str:
    """Word that a text is not a code of a system whose codes carry a check digit."""
    return f"{shown(code)} is no {system} code: form or check digit is wrong; look it up again"


def _bare(uri: str) -> str:
    return _DRESSING.sub("", uri.casefold())
