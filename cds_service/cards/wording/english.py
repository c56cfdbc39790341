"""English texts of the cards.

Clinical statements rest on the abstract of Yu et al. 2023 (doi 10.21037/jgo-23-104) and are worded as published;
what is derived says so. No sentence gives an individual probability or an order.
"""

from __future__ import annotations

from typing import Final

from cds_service.cards.wording.english_reasons import OVERRIDE_REASONS, REASONS, SHORT_REASONS
from cds_service.cards.wording.texts import Texts
from cds_service.clinical.evidence import STUDY_ALBUMIN_CONTROL, STUDY_ALBUMIN_RECURRENCE
from cds_service.clinical.models import Analyte

ENGLISH: Final = Texts(
    source_label="Yu et al. 2023, J Gastrointest Oncol",
    model_card_label="About this rule: evidence, limits, model card",
    above_summary=(
        "SII {sii} (blood of {date}) is above {cutoff}: higher recurrence risk reported after interventional therapy"
    ),
    not_above_summary=(
        "SII {sii} (blood of {date}) is not above the cut-off {cutoff} for recurrence after liver cancer therapy"
    ),
    indeterminate_summary="SII (recurrence risk, cut-off {cutoff}) could not be assessed: {reason}",
    indeterminate_more=" (+{count} more)",
    above_statement=(
        "**SII {sii} ×10⁹/L is above the cut-off {cutoff} ×10⁹/L.** In the study below, patients above it had "
        "recurrence or metastasis more often after interventional therapy for primary liver cancer."
    ),
    not_above_statement=(
        "**SII {sii} ×10⁹/L is not above the cut-off {cutoff} ×10⁹/L.** This is no statement that the risk is small."
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
    },
    inputs_heading="**Inputs**",
    inputs_columns=("Input", "Result as reported", "Taken", "LOINC or local code"),
    percent_basis_note="Neutrophils and lymphocytes are shares of the leukocytes; their ratio is that of the counts.",
    formula="SII = platelets × neutrophils / lymphocytes = {platelets} × {neutrophils} / {lymphocytes} = {sii}",
    sampled_after="**Timing:** blood drawn {days} days after the latest interventional procedure ({procedure}).",
    sampled_before="**Timing:** blood drawn {days} days before the latest interventional procedure ({procedure}).",
    sampled_unrelated="**Timing:** blood drawn {date}; the chart dates no interventional procedure.",
    timing_note=(
        "The study's abstract does not say when blood was drawn; the sampling windows used here are derived, "
        "not published."
    ),
    baseline_line="**Before the procedure:** SII {sii} on {date}.",
    earlier_line="**Earlier:** SII {sii} on {date}.",
    near_cutoff_note=(
        "**Close to the cut-off:** laboratory imprecision alone can move SII by 50–85 here (derived, not published). "
        "Consider a repeat before relying on either side."
    ),
    albumin_line=(
        "**Albumin** {value} ({date}); not part of SII. Study group means: "
        f"{STUDY_ALBUMIN_RECURRENCE} with recurrence or metastasis, {STUDY_ALBUMIN_CONTROL} without."
    ),
    albumin_outside_note="This albumin was taken {days} days from the blood counts.",
    albumin_missing="**Albumin:** no usable result in the data.",
    evidence=(
        "**Evidence:** Yu et al. 2023, doi 10.21037/jgo-23-104: n = 272, single centre, retrospective, no residual "
        "lesions after therapy, 5 years of follow-up; cut-off 405.08, AUC 0.795 (95 % CI 0.742–0.848). The cut-off was "
        "chosen and tested on the same patients; its abstract reports no external validation."
    ),
    site_cutoff_note="**Cut-off {cutoff} was set by this site ({source}); the published cut-off is 405.08.**",
    consider=(
        "**Consider** whether the shorter end of your local follow-up interval applies. No trial was found that shows "
        "that follow-up guided by SII improves outcome."
    ),
    not_checked=(
        "**Not checked:** residual disease, infection, steroids, G-CSF, transfusion, splenectomy. Each of them can "
        "change SII without any change of the tumor."
    ),
    low_platelets_note="Low platelets, as in cirrhosis with a large spleen, lower SII whatever the tumor does.",
    truncated_note="**The chart holds more results than were delivered; a newer blood draw may exist.**",
    newest_result_line="Newest blood count in the data: {date}.",
    latest_procedure_line="Latest interventional procedure: {date}.",
    version_line="Rule {rule}, mappings {mappings}. Decision support for professionals; not a diagnosis.",
    reasons=REASONS,
    short_reasons=SHORT_REASONS,
    override_reasons=OVERRIDE_REASONS,
)
