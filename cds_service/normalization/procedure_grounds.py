"""Where and why a procedure was done, as far as the tables know the codes and words it is described with."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cds_service.clinical.reasons import Reason
from cds_service.normalization.subject import type_and_id
from fhir_mappings.grounds import LIVER, LIVER_CANCER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from cds_service.normalization.shapes import CodingLike, ConceptLike, DescribedConceptLike, ProcedureLike
    from fhir_mappings.mappings import Mappings

# Categories of fhir_mappings/conditions.toml as reasons of a procedure.
_DIAGNOSES = {
    "primary": LIVER_CANCER,
    "history": LIVER_CANCER,
    "other-histology": LIVER_CANCER,
    "ambiguous": LIVER_CANCER,
    "recurrence": LIVER_CANCER,
    "secondary": "secondary-tumor",
    "metastasis": "secondary-tumor",
}


class Listed(NamedTuple):
    """What the tables know of a description: codes as sent and words, each with its meaning."""

    codings: tuple[tuple[CodingLike, str], ...]
    words: Mapping[str, str]

    @property
    def meanings(self) -> frozenset[str]:
        """What the description means."""
        return frozenset((*(meaning for _, meaning in self.codings), *self.words.values()))


class GroundsReader:
    """Reads where and why procedures were done under one site's mappings."""

    def __init__(self, mappings: Mappings, diagnoses: Mapping[str, ConceptLike]) -> None:
        """Keep the tables, and the codes of Conditions by the ids that references lead to."""
        self._mappings = mappings
        self._diagnoses = diagnoses

    def refuse(self, procedure: ProcedureLike) -> Reason | None:
        """Return body-site-elsewhere or other-indication; None where nothing listed speaks against the liver."""
        organs = self.sites(procedure.sites).meanings
        if organs and LIVER not in organs:
            return Reason.BODY_SITE_ELSEWHERE
        kinds = self.reasons(procedure).meanings
        return Reason.OTHER_INDICATION if kinds and LIVER_CANCER not in kinds else None

    def sites(self, concepts: Sequence[DescribedConceptLike]) -> Listed:
        """Return what is listed of body sites."""
        look_up, named = self._mappings.body_site, self._mappings.body_sites_named
        return _listed((coding for concept in concepts for coding in concept.coding), look_up, _texts(concepts), named)

    def reasons(self, procedure: ProcedureLike) -> Listed:
        """Return what is listed of the reasons: by code, by word, and by name and codes of the diagnoses pointed to."""
        concepts = procedure.reasons
        codings: list[CodingLike] = [coding for concept in concepts for coding in concept.coding]
        texts = list(_texts(concepts))
        for reference in procedure.reason_references:
            pointed_to = self._diagnoses.get(type_and_id(reference.reference or "", "Condition") or "")
            codings += pointed_to.coding if pointed_to is not None else ()
            texts += [reference.display] if reference.display else []
        return _listed(codings, self._reason, texts, self._mappings.indications_named)

    def _reason(self, system: str, code: str) -> str | None:
        row = self._mappings.condition(system, code)
        found = _DIAGNOSES.get(row.category) if row is not None else None
        return found or self._mappings.indication(system, code)


def _listed(
    codings: Iterable[CodingLike],
    look_up: Callable[[str, str], str | None],
    texts: Iterable[str],
    named: Callable[[str], Mapping[str, str]],
) -> Listed:
    known = ((coding, look_up(coding.system or "", coding.code or "")) for coding in codings)
    words: dict[str, str] = {}
    for text in texts:
        words |= named(text)
    return Listed(tuple((coding, meaning) for coding, meaning in known if meaning is not None), words)


def _texts(concepts: Sequence[DescribedConceptLike]) -> Iterator[str]:
    for concept in concepts:
        texts = (concept.text, *(coding.display for coding in concept.coding))
        yield from (text for text in texts if text)
