"""English texts of the cards.

Clinical statements rest on the abstract of Yu et al. 2023 (doi 10.21037/jgo-23-104) and are worded as published;
what is derived says so. No sentence gives an individual probability or an order. Figures of the study stand in
cds_service/clinical/evidence.py alone.
"""

from __future__ import annotations

from typing import Final

from cds_service.cards.wording.english_chart import CLOSING_KINDS, NOT_CHECKED_ITEMS, RECORDED_KINDS, SUSPECTED_KINDS
from cds_service.cards.wording.english_reasons import OVERRIDE_REASONS, REASONS, SHORT_REASONS
from cds_service.cards.wording.texts import Texts
from cds_service.clinical.evidence import (
    IMPRECISION_BAND,
    PUBLISHED_CUTOFF,
    STUDY_ALBUMIN_CONTROL,
    STUDY_ALBUMIN_RECURRENCE,
    STUDY_AUC,
    STUDY_AUC_INTERVAL,
    STUDY_CITATION,
    STUDY_DOI,
    STUDY_FOLLOW_UP_YEARS,
    STUDY_PATIENTS,
    STUDY_RECURRENCES,
)
from cds_service.clinical.models import Analyte, Basis

ENGLISH: Final = Texts(
    source_label=STUDY_CITATION,
    model_card_label="About this rule: evidence, limits, model card",
    trend_app_label="SII over time, with every draw and procedure",
    above_summary=(
        "SII {sii} (blood drawn {date}) is above the cut-off {cutoff}: "
        "higher recurrence risk reported after interventional therapy"
    ),
    above_summary_brief="SII {sii} (blood drawn {date}) is above the cut-off {cutoff}",
    not_above_summary=(
        "SII {sii} (blood drawn {date}) is not above the cut-off {cutoff} for recurrence after liver cancer therapy"
    ),
    not_above_summary_brief="SII {sii} (blood drawn {date}) is not above the cut-off {cutoff}",
    indeterminate_summary="SII recurrence risk (cut-off {cutoff}) could not be assessed: {reason}",
    indeterminate_dated="{reason} (blood of {date})",
    indeterminate_more="{reason}, and {count} more",
    indeterminate_newest="{reason}; newest blood count {date}",
    above_statement=(
        "**SII {sii} ×10⁹/L is above the cut-off {cutoff} ×10⁹/L.** In the study cited below, patients with a high SII "
        "had recurrence or metastasis more often after interventional therapy for primary liver cancer."
    ),
    not_above_statement=(
        "**SII {sii} ×10⁹/L is not above the cut-off {cutoff} ×10⁹/L.** "
        "This does not mean that the risk of recurrence is small."
    ),
    indeterminate_statement=(
        "**The systemic immune-inflammation index (SII) could not be assessed for this patient.** "
        "This says nothing about the risk of recurrence."
    ),
    analytes={
        Analyte.PLATELETS: "Platelets",
        Analyte.NEUTROPHILS: "Neutrophils",
        Analyte.LYMPHOCYTES: "Lymphocytes",
        Analyte.ALBUMIN: "Albumin",
        Analyte.SEGMENTED: "Segmented neutrophils",
        Analyte.BANDS: "Band forms",
        Analyte.VARIANTS: "Variant lymphocytes",
    },
    inputs_heading="**Inputs**",
    inputs_columns=("Test", "Result as reported", "Blood drawn", "Code"),
    percent_basis_note=(
        "Neutrophils and lymphocytes are percentages of the leukocytes; their ratio is the same as that of the counts."
    ),
    fraction_value="{reported} (read as a fraction: {value})",
    converted_value="{value} (reported as {reported})",
    approximate_value="approximately {value}",
    formula=(
        "Systemic immune-inflammation index: "
        "SII = platelets × neutrophils / lymphocytes = {platelets} × {neutrophils} / {lymphocytes} = {sii}"
    ),
    one_day="1 day",
    several_days="{count} days",
    at_least="at least {days}",
    at_most="at most {days}",
    date_span="{began} to {ended}",
    sampled_after="**Timing:** blood drawn {days} after the latest interventional procedure ({procedure}).",
    sampled_before="**Timing:** blood drawn {days} before the latest interventional procedure ({procedure}).",
    sampled_same_day=(
        "**Timing:** blood drawn on the day of the latest interventional procedure ({procedure}), before it began."
    ),
    sampled_unrelated="**Timing:** blood drawn {date}; the chart dates no interventional procedure.",
    sampled_unknown="**Timing:** blood drawn {date}.",
    timing_note=(
        "The study's abstract does not say when blood was drawn; the sampling windows used here are derived, "
        "not published."
    ),
    baseline_line="**Before the procedure:** SII {sii} on {date}.",
    earlier_line="**Earlier:** SII {sii} on {date}.",
    near_cutoff_note=(
        f"**Close to the cut-off:** laboratory imprecision alone can move an SII of about {PUBLISHED_CUTOFF:.0f} by "
        f"{IMPRECISION_BAND[0]}–{IMPRECISION_BAND[1]} (derived, not published). "
        "Consider repeating the blood count before relying on this result."
    ),
    other_readings_line="**Other readings of this blood:** {readings}. They lie on the same side of the cut-off.",
    contrary_readings_line="The readings of this blood lie on both sides of the cut-off: {readings}.",
    reading="SII {sii} ({how})",
    reading_bases={Basis.ABSOLUTE: "counts", Basis.PERCENT: "percentages"},
    reading_methods={False: "automated or unnamed method", True: "manual count"},
    reading_parts="with {parts}",
    joined=" and ",
    derived_note="**{total} are derived:** the sum of {parts}.",
    parts_beside_note="**Not added, because one is a percentage and the other a count:** {parts}.",
    segmented_alone_note=(
        "Segmented neutrophils were reported without band forms: alone they are not all of the neutrophils."
    ),
    clumps_unreadable_note="A finding about platelet clumps could not be read: the platelet count may be too low.",
    laboratory_note_line="**The laboratory wrote** ({tests}): {note}",
    albumin_line=(
        "**Albumin** {value}, {date}; not part of SII. Study group means: "
        f"{STUDY_ALBUMIN_RECURRENCE} with recurrence or metastasis, {STUDY_ALBUMIN_CONTROL} without."
    ),
    albumin_outside_note="This albumin was taken {days} from the blood counts.",
    albumin_missing="**Albumin:** no usable result in the data.",
    albumin_not_delivered="**Albumin:** none is shown, because the results could not be obtained completely.",
    albumin_incomplete="Not all albumin results could be obtained.",
    patient_not_delivered=(
        "**Age or death was not checked:** the Patient resource, or what it says of it, could not be obtained or read."
    ),
    conditions_not_delivered=(
        "**Recurrence and metastasis could not be looked for:** the diagnoses could not be obtained."
    ),
    procedures_not_delivered=(
        "**Interventional procedures could not be looked for:** they could not be obtained. Whether blood was drawn "
        "before a procedure, too soon after one or later is not known."
    ),
    conditions_incomplete="**Not all diagnoses were delivered:** a recurrence or metastasis may be missing here.",
    procedures_incomplete=(
        "**Not all interventional procedures were delivered:** blood may have been drawn too soon after one that is "
        "missing here."
    ),
    evidence=(
        f"**Evidence:** {STUDY_CITATION}, doi {STUDY_DOI}: n = {STUDY_PATIENTS}, of whom {STUDY_RECURRENCES} had "
        "recurrence or metastasis; single center, retrospective, no residual lesions after therapy, "
        f"{STUDY_FOLLOW_UP_YEARS} years of follow-up; cut-off {PUBLISHED_CUTOFF}, AUC {STUDY_AUC} "
        f"(95 % CI {STUDY_AUC_INTERVAL}). The cut-off was chosen and tested on the same patients; the abstract "
        "reports no external validation."
    ),
    site_cutoff_note=(
        f"**The cut-off {{cutoff}} was set by this site ({{source}}); the published cut-off is {PUBLISHED_CUTOFF}.**"
    ),
    consider=(
        "**Consider** whether the shorter end of your local follow-up interval applies. "
        "No trial was found showing that SII-guided follow-up improves outcome."
    ),
    not_checked=(
        "**Not checked:** residual disease; and what changes blood counts independently of the tumor: {items}."
    ),
    not_checked_items=NOT_CHECKED_ITEMS,
    and_more="{items}; and {count} more",
    recorded_note="**Recorded in the chart; each may change blood counts independently of the tumor:** {items}.",
    recorded_kinds=RECORDED_KINDS,
    suspected_note="**Suspected in the chart, not confirmed:** {items}. A suspicion does not change this result.",
    suspected_kinds=SUSPECTED_KINDS,
    closing_note="**Blood soon after these is not used, either:** {items}.",
    closing_kinds=CLOSING_KINDS,
    unplaced_procedures_note=(
        "**The day of these is not known:** {items}. Blood may have been drawn too soon after one of them."
    ),
    too_soon_note="The newest complete blood count was drawn {days} after the interventional procedure of {procedure}.",
    no_day_between_note=(
        "Procedures that follow each other so closely leave no whole day between them on which blood can be used: "
        "blood before the latest one is too soon after the previous one."
    ),
    between_note="**Between this blood draw and the latest procedure there was another procedure:** {items}.",
    several_procedures_note=(
        "**{count} interventional procedures within the last year.** The study's patients had no residual lesions "
        "after therapy; repeated therapy speaks against that."
    ),
    diagnosed_later_note=(
        "**An interventional procedure was done before liver cancer was recorded.** It may have had another reason."
    ),
    another_cancer_note=(
        "**Another cancer is recorded, and a metastasis in the liver before the latest procedure:** the procedure may "
        "have treated metastases of that cancer."
    ),
    low_platelets_note="Low platelets, as in cirrhosis with a large spleen, lower SII independently of the tumor.",
    truncated_note=(
        "**The chart holds more entries than were delivered:** a newer blood draw, a later procedure or a recurrence "
        "may be missing here."
    ),
    undated_procedures_note=(
        "**Not every interventional procedure has a readable date:** one without may be later than the one named here."
    ),
    unreadable_note=(
        "**Some diagnoses or procedures could not be read:** a recurrence or a later procedure may be among them."
    ),
    newer_blood_note="**Newer blood counts of {date} were not used.** {reasons}",
    unplaced_blood_note="**Some blood counts could not be read or dated:** they may be newer than those used here.",
    dated_reason="{date}: {reason}",
    newest_result_line="Newest blood count in the data: {date}.",
    latest_procedure_line="Latest interventional procedure: {date}.",
    procedure_span_line="Blood drawn within that time is not read: the procedure may have come before it.",
    readable_line="SII is read from blood drawn {after} and at most {oldest} old.",
    readable_before_line=(
        "SII is read from blood drawn {after} and at most {oldest} old; else from blood drawn {before}."
    ),
    readable_from="on or after {day}",
    readable_span="from {began} to {ended}",
    readable_until_procedure="from {began} until the latest procedure",
    either=" or ",
    version_line="Rule {rule}, mappings {mappings}. Decision support for professionals; not a diagnosis.",
    reasons=REASONS,
    short_reasons=SHORT_REASONS,
    override_reasons=OVERRIDE_REASONS,
)
