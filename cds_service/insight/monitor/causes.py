"""What may go wrong: each kind of finding with its likely cause and where to look. The ids never change their meaning.

`effects` are findings that follow from this one; where both are seen together, only this one is reported.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Cause:
    """A kind of finding: what is seen in a few words, the likely cause, and what to look at."""

    title: str
    likely: str
    look_at: str
    effects: tuple[str, ...] = ()


DECISION_EFFECTS: Final = ("firing-stopped", "firing-fell", "firing-rose", "indeterminate-rose")
_RESULT_EFFECTS: Final = (
    *DECISION_EFFECTS,
    "results-stale",
    "values-shifted",
    "reason-rose",
    "code-changed",
    "blood-counts-empty",
)
_MIX_EFFECTS: Final = ("eligible-fell", "eligible-rose", "reason-rose")
_ALL_EFFECTS: Final = (
    *_RESULT_EFFECTS,
    "albumin-missing",
    "eligible-fell",
    "eligible-rose",
    "latency-rose",
)

CAUSES: Final[dict[str, Cause]] = {
    "hooks-stopped": Cause(
        "No hooks arrive",
        "The EHR no longer calls the service, or the service was down or refused every call.",
        "The EHR's CDS configuration and its log; /readyz; refusals in /metrics (sii_cds_refusals_total).",
    ),
    "hooks-dropped": Cause(
        "Fewer hooks arrive",
        "A department, a user group or an EHR server no longer calls the service, or the service was down for hours.",
        "Which users and departments are missing (audit search); refusals in /metrics.",
        _MIX_EFFECTS,
    ),
    "hooks-rose": Cause(
        "More hooks arrive",
        "A new department or server calls the service, or the EHR calls it repeatedly for one chart.",
        "Users and hook instances of the new calls (audit search).",
        _MIX_EFFECTS,
    ),
    "data-unavailable": Cause(
        "Required data cannot be had",
        "The prefetch template of this key no longer works, or the FHIR server refuses or fails its search; those "
        "hooks are answered with 412.",
        "The EHR's prefetch configuration for this key; the service log for the FHIR server's answers.",
        _ALL_EFFECTS,
    ),
    "conditions-empty": Cause(
        "Hardly any patient has liver cancer any more",
        "The prefetch template of conditions returns nothing, or diagnoses come in codes that are not mapped.",
        "sii-cds explain with the hook of a known patient; changes of the diagnosis coding or of the template.",
        _ALL_EFFECTS,
    ),
    "procedures-empty": Cause(
        "Hardly any liver cancer patient has an interventional procedure any more",
        "The prefetch template of procedures returns nothing, or procedures come in codes that are not mapped.",
        "sii-cds explain with the hook of a treated patient; changes of the procedure coding or of the template.",
        _ALL_EFFECTS,
    ),
    "blood-counts-empty": Cause(
        "Blood counts are missing altogether",
        "The prefetch template of bloodCounts returns nothing, or the laboratory changed the codes of the whole panel.",
        "sii-cds explain with a recent patient; the template; codes of the newest results.",
        _RESULT_EFFECTS,
    ),
    "unit-changed": Cause(
        "Results are refused for their unit",
        "The laboratory or its interface changed the unit, or its spelling.",
        "The unit of the newest results of this analyte; add it to the site's overlay only after the laboratory "
        "has said what it means.",
        _RESULT_EFFECTS,
    ),
    "scale-changed": Cause(
        "Values are on another scale",
        "The laboratory or its interface changed the unit of the numbers but not the unit that is sent.",
        "The newest results of this analyte in the laboratory system; cards shown since the first day may be wrong: "
        "set the client to silent until it is mended.",
        (*_RESULT_EFFECTS, "override-wave"),
    ),
    "code-changed": Cause(
        "New results of one analyte are no longer found",
        "The laboratory changed its code, so that new results are not recognized.",
        "The code of the newest results of this analyte in the EHR; map it in the site's overlay.",
        _RESULT_EFFECTS,
    ),
    "value-form-changed": Cause(
        "Results come without a plain number",
        "The laboratory or its interface sends values as text, with a comparator, or not at all.",
        "The newest results of this analyte: valueQuantity, dataAbsentReason.",
        _RESULT_EFFECTS,
    ),
    "status-changed": Cause(
        "Results are refused for their status",
        "The interface sends another status than final, such as preliminary or unknown.",
        "Observation.status of the newest results; normalization.accept_statuses.",
        _RESULT_EFFECTS,
    ),
    "clock-trouble": Cause(
        "Results lie in the future",
        "A clock is wrong, or the time zone of the laboratory's times changed or is missing.",
        "The clocks of laboratory, EHR and this host; the offset in effectiveDateTime; service.timezone.",
        _RESULT_EFFECTS,
    ),
    "times-missing": Cause(
        "Results come without a usable time",
        "The interface no longer sends when the blood was taken.",
        "effectiveDateTime of the newest results.",
        _RESULT_EFFECTS,
    ),
    "wrong-subject": Cause(
        "Results of other patients are delivered",
        "A prefetch template or the FHIR server mixes patients; such results are never used.",
        "The template's patient parameter; the FHIR server's search. Tell the patient-safety officer.",
        _RESULT_EFFECTS,
    ),
    "malformed-results": Cause(
        "Results cannot be read",
        "The EHR sends resources that are not FHIR R4.",
        "sii-cds explain with a recent hook; the EHR's last update.",
        _RESULT_EFFECTS,
    ),
    "code-conflict": Cause(
        "Results carry contradicting codes",
        "Local and LOINC codes of one result mean different things.",
        "The coding list of the newest results; the laboratory's code mapping.",
        _RESULT_EFFECTS,
    ),
    "results-stale": Cause(
        "Blood draws get older",
        "New results no longer arrive, or arrive in a form that is not recognized, so that older draws decide.",
        "Whether the newest results of a patient reach the EHR's FHIR interface; their codes (sii-cds explain).",
        DECISION_EFFECTS,
    ),
    "values-shifted": Cause(
        "Values have shifted",
        "Another analyser or patient group, or a change of calibration or unit in one of several laboratories.",
        "Ask the laboratory for changes on the first day; compare by client.",
        DECISION_EFFECTS,
    ),
    "albumin-missing": Cause(
        "Albumin is found less often",
        "The laboratory changed the code or unit of albumin, or the optional albumin prefetch broke.",
        "The newest albumin results in the EHR; the albumin template.",
    ),
    "eligible-fell": Cause(
        "Fewer patients are eligible",
        "Diagnoses or procedures come in other codes, or other departments use the service.",
        "sii-cds explain with a known patient; the reasons below.",
        ("reason-rose",),
    ),
    "eligible-rose": Cause(
        "More patients are eligible",
        "Eligibility settings or mappings changed, or other departments use the service.",
        "eligibility and mappings in the configuration; who calls.",
    ),
    "reason-rose": Cause(
        "One reason is given more often",
        "What charts hold has changed.",
        "docs/clinical.md for the meaning of the reason; sii-cds explain with a recent patient.",
        DECISION_EFFECTS,
    ),
    "indeterminate-rose": Cause(
        "SII can be told less often", "No single reason stands out.", "The reasons by day in the report."
    ),
    "firing-stopped": Cause(
        "The rule no longer fires",
        "Values, the cut-off or the patients have changed.",
        "rule.cutoff; medians by day in the report; sii-cds audit replay.",
    ),
    "firing-fell": Cause(
        "The rule fires less often",
        "Values, the cut-off or the patients have changed.",
        "rule.cutoff; medians by day in the report; sii-cds audit replay.",
    ),
    "firing-rose": Cause(
        "The rule fires more often",
        "Values, the cut-off or the patients have changed.",
        "rule.cutoff; medians by day in the report; sii-cds audit replay.",
    ),
    "cards-not-shown": Cause(
        "Cards are made but not shown",
        "The client or the service is in silent mode.",
        "service.mode and the client's mode in the configuration.",
    ),
    "override-wave": Cause(
        "Cards are overridden more often",
        "Clinicians find the card wrong or unhelpful.",
        "The override reasons below and their comments (audit search --outcome overridden).",
    ),
    "feedback-stopped": Cause(
        "Feedback no longer arrives",
        "The EHR no longer sends feedback, or the feedback address changed.",
        "The EHR's feedback configuration; refusals of the feedback route in /metrics.",
    ),
    "latency-rose": Cause(
        "Decisions take longer",
        "The FHIR server is slow, prefetch no longer comes, or the host is busy.",
        "Whether hooks bring their prefetch; the FHIR server's times; load of the host.",
    ),
}
