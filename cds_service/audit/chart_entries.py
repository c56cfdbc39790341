"""What a record keeps of the chart, so that its decision can be recomputed years later (docs/audit.md).

It is what was delivered and not what was made of it: codes, units, values and times as sent. So a changed code table
or unit table shows. Only resources with a code of the tables are kept, and of each only what the rule reads; one that
could not be read, and so may put a decision in doubt, is kept without its code where that is another one. No member
can hold a display text, a note or a name. `subject` is empty for the patient of the hook, else the reason why the
resource is not the patient's; references to patients are not kept.
"""

from typing import Literal

import msgspec

from cds_service.acquisition.resources import CodeableConcept, Coding, Period, Quantity, Reference

# missing: no number at all; other: valueString and the like; absent: dataAbsentReason; not-numeric: a Quantity whose
# value is text; too-long: more digits than any laboratory reports. What stood there instead is not kept.
ValueKind = Literal["number", "missing", "other", "absent", "not-numeric", "too-long"]


# A list of which a part did not come. Records of 0.1.0 do not tell which of the two it was.
ChartList = Literal["conditions", "procedures"]


class MeasurementEntry(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """A code and its value as sent: of an Observation, or of a component.

    `material` is the material that the names of the code tell, by its name in the tables; empty for blood. `finding` is
    what it says of platelet clumps, present or absent; empty where it says nothing, or nothing that can be read.
    """

    code: CodeableConcept | None = None
    quantity: Quantity | None = None
    kind: ValueKind = "number"
    material: str = ""
    finding: str = ""


class ObservationEntry(MeasurementEntry, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """An Observation as sent. `effective` is effectiveDateTime or effectiveInstant.

    `taken_from` is the material that body site or specimen name, in whatever words; empty for blood.
    """

    id: str | None = None
    version: str = ""
    status: str | None = "final"
    subject: str = ""
    specimen: Reference | None = None
    taken_from: str = ""
    effective: str | None = None
    period: Period | None = None
    issued: str | None = None
    components: tuple[MeasurementEntry, ...] = ()


class MalformedEntry(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """A resource that could not be read, with its code where at least that could be, and the tables know it."""

    id: str | None = None
    code: CodeableConcept | None = None
    has_components: bool = False


class DiagnosisEntry(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """A Condition as sent. Of its sites the codes and words that the tables know, `for_encounter` by its category."""

    id: str | None = None
    code: CodeableConcept | None = None
    subject: str = ""
    clinical: CodeableConcept | None = None
    verification: CodeableConcept | None = None
    onset: str | None = None
    onset_period: Period | None = None
    recorded: str | None = None
    for_encounter: bool = False
    sites: tuple[Coding, ...] = ()
    site_words: tuple[str, ...] = ()


class TherapyEntry(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """A Procedure as sent. Of category, sites and reasons the codes and words that the tables know.

    A reason that points to a Condition is kept by the codes of that Condition.
    """

    id: str | None = None
    code: CodeableConcept | None = None
    subject: str = ""
    status: str | None = "completed"
    performed: str | None = None
    performed_period: Period | None = None
    categories: tuple[Coding, ...] = ()
    sites: tuple[Coding, ...] = ()
    site_words: tuple[str, ...] = ()
    reasons: tuple[Coding, ...] = ()
    reason_words: tuple[str, ...] = ()


class PersonEntry(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """The Patient. `age` is the least it may be in years, at most 90; the birth date is not kept.

    `replaced` tells that the record was merged into another one.
    """

    age: int | None = None
    deceased: bool = False
    replaced: bool = False


class SearchEntry(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """The Observations of one search. `truncated` tells that a page is missing."""

    observations: tuple[ObservationEntry, ...] = ()
    malformed: tuple[MalformedEntry, ...] = ()
    truncated: bool = False


class ChartEntry(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """All that a decision was computed from. The searches are None where blood counts were not looked at."""

    person: PersonEntry | None = None
    diagnoses: tuple[DiagnosisEntry, ...] = ()
    therapies: tuple[TherapyEntry, ...] = ()
    malformed_diagnoses: tuple[MalformedEntry, ...] = ()
    malformed_therapies: tuple[MalformedEntry, ...] = ()
    truncated: bool = False
    truncated_lists: tuple[ChartList, ...] = ()
    blood_counts: SearchEntry | None = None
    albumin: SearchEntry | None = None
