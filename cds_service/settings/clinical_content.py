"""Clinical content of the configuration: what the rule decides and what the card says.

A clinical owner approves these sections. All of them change in place on reload.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from cds_service.clinical.evidence import PUBLISHED_CUTOFF
from cds_service.settings.section import Content, SettingsSection
from cds_service.settings.value_types import Cutoff, ReadableFile, Text

Days = Annotated[int, Field(ge=0, le=3650)]

PUBLISHED = "published"


class ClinicalSection(SettingsSection):
    """A section that a clinical owner approves."""

    content: ClassVar[Content] = Content.CLINICAL


class RuleSettings(ClinicalSection):
    """The cut-off that SII is compared with."""

    cutoff: Cutoff = Field(
        PUBLISHED_CUTOFF, description="SII (10*9/L) strictly above this value is a high risk of recurrence."
    )
    cutoff_source: Text = Field(
        PUBLISHED,
        description='Where the cut-off comes from: "published" (Yu et al. 2023), or a text that names the '
        "site's own study.",
    )


class EligibilitySettings(ClinicalSection):
    """Which patients the rule is asked for."""

    mode: Literal["required", "assume"] = Field(
        "required",
        description='"required": the service checks diagnosis, procedure and age itself. "assume": the EHR calls '
        "the service for the right patients only.",
    )
    minimum_age: Annotated[int, Field(ge=0, le=130)] = Field(
        18, description="Youngest age in years; the study's patients were adults."
    )


class TimingSettings(ClinicalSection):
    """Which blood draws are used. Days are calendar days in service.timezone; all limits are inclusive."""

    post_procedure_exclusion_days: Days = Field(
        27, description="Draws from the day of a procedure (day 0) to this day after it are never used."
    )
    baseline_window_days: Days = Field(
        30, description="A draw at most this many days before the latest procedure is a baseline."
    )
    max_age_days: Days = Field(90, description="A draw after the procedure is used while it is at most this old.")
    same_draw_minutes: Annotated[int, Field(ge=0, le=1440)] = Field(
        60, description="Results without a common specimen are one draw when they lie at most this far apart."
    )
    albumin_window_days: Days = Field(
        7, description="Albumin is shown beside a draw when it is at most this many days away from it."
    )
    follow_up_years: Annotated[int, Field(ge=1, le=50)] = Field(
        5, description="Years after the latest procedure in which the rule is asked; the study followed five."
    )


class NormalizationSettings(ClinicalSection):
    """Which Observations count."""

    accept_statuses: Annotated[tuple[Literal["final", "amended", "corrected"], ...], Field(min_length=1)] = Field(
        ("final", "amended", "corrected"),
        description="Observation statuses that count. Preliminary, cancelled and erroneous results never do.",
    )


class CardSettings(ClinicalSection):
    """Which outcomes the clinician sees."""

    show_not_above_cutoff: bool = Field(False, description="Show an info card when SII is not above the cut-off.")
    show_baseline_above: bool = Field(
        True, description="Show an info card when SII is not above the cut-off and was above before the procedure."
    )
    show_indeterminate: bool = Field(
        True, description="Show an info card that names what is missing when SII cannot be assessed."
    )
    detail: Literal["short", "full"] = Field(
        "short",
        description='"short": what is read between two patients, at most 110 words before the results; "full": '
        "formula, evidence as published and every note.",
    )
    snooze_hours: Annotated[int, Field(ge=0, le=8760)] = Field(
        0,
        description="After an override the same card is not shown again for the same patient for so many hours, to no "
        "user of that EHR; 0: never snooze.",
    )
    snooze_unless_sii_rises_percent: Annotated[int, Field(ge=1, le=1000)] = Field(
        25,
        description="A snoozed card is shown all the same when SII is more than this share above the overridden one.",
    )
    assessment_extension: bool = Field(
        True, description="Add the assessment to the response as an extension (never in silent mode)."
    )


class MappingSettings(ClinicalSection):
    """Local laboratory, diagnosis and procedure codes."""

    overlays: tuple[ReadableFile, ...] = Field(
        (), description="Files with the site's own codes, added to the shipped tables.", examples=[["site-codes.yaml"]]
    )
