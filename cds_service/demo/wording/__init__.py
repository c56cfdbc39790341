"""What the pages of the demonstration say: one file for each language, named as those of the cards."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping  # noqa: TC003  msgspec reads the types
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from datetime import date

    from cds_service.demo.patients import PatientStory


class StoryTexts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A patient's story in another language than English, in which stories are written."""

    title: str
    text: str


class PageTexts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every text of the pages in one language; `stories` by patient, empty where they are told as written."""

    language_name: str
    unreviewed: str
    language_nav: str
    site_title: str
    skip: str
    brand: str
    brand_note: str
    synthetic: str
    footer: str
    day: str
    colon: str
    stop: str
    between: str
    in_brackets: str
    patients_heading: str
    patients_lead: str
    cohort_link: str
    cohort_note: str
    patients_region: str
    patients_caption: str
    patients_columns: tuple[str, str, str]
    listed_birth: str
    patient_region: str
    sex: str
    born: str
    years: str
    record_number: str
    all_patients: str
    advice_heading: str
    timeline_heading: str
    timeline_hint: str
    timeline_empty: str
    laboratory_heading: str
    laboratory_region: str
    laboratory_caption: str
    drawn: str
    remarks: str
    not_measured: str
    no_value: str
    reference: str
    judged: str
    of_another: str
    conditions_heading: str
    since: str
    procedures_heading: str
    planned: str
    exchange_heading: str
    exchange_lead: str
    request: str
    response: str
    response_none: str
    response_empty: str
    failure_heading: str
    failure_note: str
    failure_warning: str
    source: str
    not_opened: str
    card_table: str
    no_card: str
    not_low_risk: str
    silent: str
    silent_note: str
    assessment_heading: str
    outcome: str
    cutoff: str
    basis: str
    rule: str
    rule_version: str
    reasons_heading: str
    exclusions_heading: str
    differences_heading: str
    agrees: str
    unknown_reason: str
    answer_heading: str
    accept: str
    accept_hint: str
    dismiss_legend: str
    comment: str
    dismiss: str
    feedback_sent: str
    feedback_taken: str
    feedback_failed: str
    feedback_lost: str
    back: str
    back_note: str
    refused_title: str
    refused_text: str
    unreadable_title: str
    unknown_title: str
    unknown_text: str
    form_without_card: str
    form_without_action: str
    form_comment_long: str
    indicators: Mapping[str, str]
    feedback_done: Mapping[str, str]
    genders: Mapping[str, str]
    statuses: Mapping[str, str]
    analytes: Mapping[str, str]
    bases: Mapping[str, str]
    relations: Mapping[str, str]
    outcome_names: Mapping[str, str]
    outcomes: Mapping[str, str]
    failures: Mapping[str, str]
    stories: Mapping[str, StoryTexts] = {}

    def told(self, story: PatientStory) -> StoryTexts:
        """Return a patient's story in this language."""
        return self.stories.get(story.id) or StoryTexts(story.title, story.story)

    def written(self, day: date) -> str:
        """Return a day as this language writes it."""
        return self.day.format(day=day)


# msgspec learns a type when it is first read (decision 0083).
_LEARNT: Final = msgspec.json.Decoder(PageTexts)


@cache
def page_texts_in(language: str) -> PageTexts:
    """Return the texts in a language. Raises msgspec.ValidationError for a file that lacks one."""
    source = (files(__package__) / f"{language}.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(source), PageTexts)
