"""Every text is used, every placeholder filled, every reason has words, and figures come from one place."""

from __future__ import annotations

import re
import string
from dataclasses import replace
from decimal import Decimal
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import pytest

from cds_service.cards import wording
from cds_service.cards.builder import CardBuilder
from cds_service.cards.chart_notes import not_checked
from cds_service.cards.gaps import Gap
from cds_service.cards.wording import LANGUAGES, texts_in
from cds_service.clinical import evidence
from cds_service.clinical.chart_facts import OperationFact
from cds_service.clinical.closed_days import CLOSING_KINDS
from cds_service.clinical.models import Analyte, Basis, BloodDraw, Reading
from cds_service.clinical.noted import ChartNotes, RecordedFact, Suspicion
from cds_service.clinical.readings import ReadingSII
from cds_service.clinical.reasons import Reason
from cds_service.services.sii_recurrence_risk import SII_RECURRENCE_RISK as SII
from tests.unit.cards.assessments import OPTIONS, TAKEN, decided, draw_of_shares, indeterminate, reported
from tests.unit.clinical.values import POLICY, at, day, done, draw, excluded, result

if TYPE_CHECKING:
    from cds_service.cards.wording.texts import Texts
    from cds_service.clinical.outcomes import Assessment
    from cds_service.clinical.policy import ClinicalPolicy

ENGLISH = texts_in("en")
SITE = replace(POLICY, cutoff=Decimal(700), cutoff_source="own")
# The reasons of a patient who is not eligible. Everything else may make an assessment indeterminate.
NOT_ELIGIBLE = {
    Reason.NO_PRIMARY_LIVER_CANCER,
    Reason.NO_INTERVENTIONAL_PROCEDURE,
    Reason.UNDER_AGE,
    Reason.DECEASED,
    Reason.RECURRENCE_KNOWN,
    Reason.RECORD_REPLACED,
    Reason.HISTOLOGY_NOT_STUDIED,
    Reason.METASTASIS_KNOWN,
    Reason.LIVER_TRANSPLANTED,
    Reason.BEYOND_FOLLOW_UP,
    # Of single procedures.
    Reason.BODY_SITE_ELSEWHERE,
    Reason.OTHER_INDICATION,
    Reason.DIAGNOSIS_AFTER_PROCEDURE,
}
LONG = ("405.08" + "0" * 27 + "1", "1", "1")
ALBUMIN = result(Analyte.ALBUMIN, "38", at(day(21)))
NEWER = excluded(Analyte.PLATELETS, Reason.UNIT_UNKNOWN, at(day(1)))
UNPLACED = excluded(Analyte.PLATELETS, Reason.NO_EFFECTIVE_TIME)
DETAILS: tuple[Literal["short", "full"], ...] = ("short", "full")
NO_WINDOW = replace(POLICY, albumin_window_days=0)
SPREAD = ("metastasis", "secondary", "recurrence")
CLOSED = tuple(OperationFact(kind, "", "X", True, done(TAKEN)) for kind in sorted(CLOSING_KINDS))
RECORDED = sorted(texts_in("en").recorded_kinds)
EVERY_NOTE = ChartNotes(
    recorded=tuple(RecordedFact(kind, "X", None, None) for kind in RECORDED),
    suspected=tuple(Suspicion(category, "X") for category in SPREAD),
    closing=CLOSED,
    unplaced=(OperationFact("interventional", "", "X", False, None),),
    recent_procedures=2,
    between=(done(TAKEN),),
    diagnosed_later=True,
    may_be_of_another_cancer=True,
    too_soon_after=done(TAKEN),
    days=2,
    no_day_between=True,
)
EACH_RECORDED = [ChartNotes(recorded=(RecordedFact(kind, "X", day(1), day(1)),)) for kind in RECORDED]
EACH_NOTE = [
    EVERY_NOTE._replace(**{field: ChartNotes._field_defaults[field] for field in ChartNotes._fields if field != kept})
    for kept in ChartNotes._fields
]
READINGS = (
    ReadingSII(Decimal(380), Basis.PERCENT, manual=False, parts=()),
    ReadingSII(Decimal(507), Basis.ABSOLUTE, manual=True, parts=(Analyte.BANDS, Analyte.VARIANTS)),
)


def draw_in_parts() -> BloodDraw:
    """Segmented and band forms as neutrophils, manual counts beside them, and a note of the laboratory."""
    parts = tuple(result(a, v, TAKEN) for a, v in ((Analyte.SEGMENTED, "5"), (Analyte.BANDS, "1")))
    total = result(Analyte.NEUTROPHILS, "6", TAKEN)._replace(parts=parts, note="smear reviewed")
    lymphocytes, platelets = result(Analyte.LYMPHOCYTES, "1.8", TAKEN), result(Analyte.PLATELETS, "210", TAKEN)
    more = total._replace(manual=True, quantity=total.quantity._replace(value=Decimal(7)))
    variants = reported(Analyte.VARIANTS, "3", "%", "0.03", Basis.PERCENT)
    return BloodDraw(total, lymphocytes, platelets, (), (Reading(more, lymphocytes, is_notable=True),), (variants,))


# Together these cards say everything there is to say.
EVERYTHING: list[tuple[Assessment, ClinicalPolicy]] = [
    (decided(), POLICY),
    (decided(draw(TAKEN, ("100", "1", "1")), pages_missing=True), POLICY),
    (decided(draw(TAKEN, LONG)), POLICY),
    (decided(draw(TAKEN, LONG), policy=replace(POLICY, cutoff=Decimal("405.08" + "1" * 100))), POLICY),
    (decided(policy=SITE), SITE),
    (decided(policy=replace(POLICY, cutoff=Decimal("404." + "1" * 100))), POLICY),
    (decided(draw_of_shares(("0.7", "", "0.7"), ("0.2", "", "0.2")), draw(at(day(70))), draw(at(day(71)))), POLICY),
    (decided(draw(TAKEN), draw(at(day(25)))), POLICY),
    (decided(draw(at(day(61)))), POLICY),
    (decided(draw(at(day(60), "07:00")), procedures=(at(day(60), "09:00"),)), POLICY),
    (decided(procedures=()), POLICY),
    (decided(undated=1, unreadable=1, excluded=(NEWER, UNPLACED)), POLICY),
    (decided(procedures=(done(at(day(65)), at(day(60))),)), POLICY),
    (decided(draw(at(day(66))), procedures=(done(at(day(65)), at(day(60))),)), POLICY),
    (decided(albumin=[reported(Analyte.ALBUMIN, "612", "umol/L", "40.698")]), POLICY),
    (decided(albumin=[ALBUMIN], policy=NO_WINDOW), NO_WINDOW),
    (indeterminate(Reason.STALE, latest_procedure=done(at(day(65)), at(day(60)))), POLICY),
    (indeterminate(Reason.STALE, taken={Reason.STALE: TAKEN}), POLICY),
    (indeterminate(Reason.STALE, earlier=(done(at(day(75))),), closing=(done(at(day(20))),)), POLICY),
    (indeterminate(Reason.STALE, earlier=(done(at(day(87))), done(at(day(90))))), POLICY),
    (replace(decided(draw_in_parts()), clumps_unreadable=True), POLICY),
    (
        replace(
            indeterminate(Reason.MISSING_NEUTROPHILS), segmented_alone=True, clumps_unreadable=True, readings=READINGS
        ),
        POLICY,
    ),
    (indeterminate(Reason.STALE, notes=EVERY_NOTE), POLICY),
    *((indeterminate(Reason.STALE, notes=note), POLICY) for note in (*EACH_RECORDED, *EACH_NOTE)),
    (replace(decided(policy=SITE, pages_missing=True), notes=EVERY_NOTE), SITE),
    *((indeterminate(reason), POLICY) for reason in Reason if reason not in NOT_ELIGIBLE),
    (indeterminate(*(r for r in Reason if r not in NOT_ELIGIBLE)), POLICY),
]


def parts(texts: Texts) -> dict[str, str]:
    """Every single text by name, such as `reasons[stale]`."""
    found = {}
    for field in msgspec.structs.fields(texts):
        value = getattr(texts, field.name)
        if isinstance(value, str):
            found[field.name] = value
        else:
            members = value.items() if hasattr(value, "items") else enumerate(value)
            found |= {f"{field.name}[{key}]": text for key, text in members}
    return found


def marked(texts: Texts) -> tuple[Texts, dict[str, str]]:
    """Put a character of its own in front of each text, so that a card shows which ones it was made of."""
    marks = {name: chr(0xE000 + number) for number, name in enumerate(parts(texts))}

    def mark(name: str, value: Any) -> Any:
        if isinstance(value, str):
            return f"{marks[name]}{value}"
        if isinstance(value, tuple):
            return tuple(f"{marks[f'{name}[{i}]']}{text}" for i, text in enumerate(value))
        return {key: f"{marks[f'{name}[{key}]']}{text}" for key, text in value.items()}

    return msgspec.structs.replace(
        texts, **{f.name: mark(f.name, getattr(texts, f.name)) for f in msgspec.structs.fields(texts)}
    ), marks


def written(monkeypatch: pytest.MonkeyPatch, texts: Texts) -> str:
    """All cards of EVERYTHING in these words, each text of each card."""
    voice = SII.voice._replace(texts_in={"en": texts}.__getitem__)
    built = [
        CardBuilder(voice, replace(OPTIONS, detail=detail), policy, "m").build(
            found, lambda: "u", gaps, "https://cds.example/launch"
        )[0]
        for found, policy in EVERYTHING
        for gaps in ((), tuple(Gap))
        for detail in DETAILS
    ]
    builder = CardBuilder(voice, OPTIONS, POLICY, "m")
    brief = CardBuilder(voice, replace(OPTIONS, detail="short"), POLICY, "m")
    built += [each.build(decided(), lambda: "u", (gap,))[0] for gap in Gap for each in (builder, brief)]
    # Where nothing fits, every note is named.
    monkeypatch.setattr("cds_service.cards.brief.MOST_WORDS", 0)
    short = CardBuilder(voice, replace(OPTIONS, detail="short"), SITE, "m")
    built += [short.build(found, lambda: "u", tuple(Gap))[0] for found, _ in EVERYTHING]
    # What discovery says of the service.
    described = (texts.discovery_title, texts.discovery_description, texts.usage_requirements)
    lines: list[tuple[str, ...]] = [(c.summary, c.detail or "", c.source.label) for c in built]
    lines += [tuple(reason.display or "" for reason in c.override_reasons) for c in built]
    lines += [tuple(link.label for link in c.links) for c in built]
    lines.append(tuple(text.format(cutoff=POLICY.cutoff) for text in described))
    return "\n".join(text for texts_of_card in lines for text in texts_of_card)


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_are_all_used(monkeypatch: pytest.MonkeyPatch, language: str) -> None:
    texts, marks = marked(texts_in(language))

    shown = written(monkeypatch, texts)

    unused = {name for name, mark in marks.items() if mark not in shown}
    # The sentences of patients who are not eligible are for `sii-cds explain`.
    assert unused == {f"reasons[{reason}]" for reason in NOT_ELIGIBLE}


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_leave_no_placeholder_open(monkeypatch: pytest.MonkeyPatch, language: str) -> None:
    shown = written(monkeypatch, texts_in(language))

    assert not re.findall(r"\{[a-z_]*\}", shown)
    assert "None" not in shown


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_have_the_placeholders_of_the_english_ones(language: str) -> None:
    texts = texts_in(language)
    for field in msgspec.structs.fields(texts):
        english_text, text = getattr(ENGLISH, field.name), getattr(texts, field.name)
        if isinstance(text, str):
            assert placeholders(text) == placeholders(english_text), field.name


def test_languages_are_those_that_have_a_file() -> None:
    names = (file.name for file in files(wording).iterdir())

    assert set(LANGUAGES) == {name.removesuffix(".toml") for name in names if name.endswith(".toml")}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_has_a_sentence_and_every_reason_of_an_indeterminate_a_phrase(language: str) -> None:
    texts = texts_in(language)

    assert set(texts.reasons) == set(Reason)
    assert set(texts.short_reasons) == set(Reason) - NOT_ELIGIBLE
    assert len(set(texts.reasons.values())) == len(Reason)
    assert len(set(texts.short_reasons.values())) == len(texts.short_reasons)
    assert all(sentence.endswith((".", "。")) and not sentence[0].islower() for sentence in texts.reasons.values())
    # They stand within a sentence.
    assert not [phrase for phrase in texts.short_reasons.values() if phrase[0].isupper() or phrase[-1] in ".。"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_keep_to_characters_of_one_utf16_unit(language: str) -> None:
    assert all(ord(character) <= 0xFFFF for character in repr(texts_in(language)))


# Figures of the study stand in evidence.py; a digit repeated elsewhere would be forgotten when it changes.
@pytest.mark.parametrize("language", LANGUAGES)
def test_wording_holds_no_figure_of_its_own(language: str) -> None:
    text = files("cds_service.cards.wording").joinpath(f"{language}.toml").read_text(encoding="utf-8")
    # Chinese names its months by numbers.
    code = "".join(line for line in text.splitlines() if not line.startswith(("#", "months = ")))
    numbers = set(re.findall(r"(?<![\w^*])\d[\d.,]*\d|(?<![\w^*\[.])\d(?![\w\]])", code.replace("10⁹", "")))

    assert numbers <= {"95", "1"}, "95 % names the kind of interval; 1 day is a word"


@pytest.mark.parametrize(
    "name",
    [
        "STUDY_CITATION", "STUDY_DOI", "STUDY_PATIENTS", "STUDY_RECURRENCES", "STUDY_FOLLOW_UP_YEARS", "STUDY_AUC",
        "STUDY_AUC_INTERVAL", "PUBLISHED_CUTOFF",
    ],
)  # fmt: skip
def test_evidence_paragraph_shows_the_figure(name: str) -> None:
    assert str(getattr(evidence, name)) in ENGLISH.evidence


def test_evidence_paragraph_reads_as_published() -> None:
    assert ENGLISH.evidence.startswith(
        "**Evidence:** Yu L et al., J Gastrointest Oncol 2023, doi 10.21037/jgo-23-104: n = 272, of whom 112 had "
        "recurrence or metastasis; single center, retrospective, no residual lesions after therapy, 5 years of "
        "follow-up; cut-off 405.08, AUC 0.795 (95 % CI 0.742–0.848)."
    )


@pytest.mark.parametrize("word", ["residual disease", "infection", "steroids", "G-CSF", "transfusion", "splenectomy"])
def test_not_checked_names_what_the_service_cannot_know(word: str) -> None:
    assert word in not_checked(ChartNotes(), ENGLISH)
