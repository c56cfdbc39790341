"""`full` holds every item that design section 6 lists, in every language; `short` leaves some to the pages behind."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cds_service.cards.wording import LANGUAGES, texts_in
from cds_service.clinical.models import Analyte
from cds_service.clinical.noted import ChartNotes
from tests.unit.cards.assessments import OPTIONS, TAKEN, card, decided, reported
from tests.unit.clinical.values import POLICY, at, day, draw

if TYPE_CHECKING:
    from cds_service.cards.wording.texts import Texts

# SII 406 of 406 x 1 / 1, 40 days after the procedure and near the cut-off; an earlier SII; several procedures.
ORDINARY = replace(
    decided(
        draw(TAKEN, ("406", "1", "1")),
        draw(at(day(25))),
        albumin=[reported(Analyte.ALBUMIN, "4.1", "g/dL", "41")],
    ),
    notes=ChartNotes(recent_procedures=2),
)
# What the contract asks of a full card, beside what it looks like. Figures are those of the abstract, by hand.
ITEMS = [
    ("a table of inputs", ("| 406 ", "| 1 ", "LOINC 777-3", "2026-02-18 07:15")),
    ("formula with its figures", ("406 × 1 / 1 = 406",)),
    ("cut-off in use", ("405.08 ×10⁹/L",)),
    ("the study", ("272", "112", "0.795", "0.742–0.848", "10.21037/jgo-23-104")),
    ("an independent risk factor, without point estimate", ("1.878–5.329",)),
    ("the study's group means of albumin", ("39.69 ± 6.17", "41.69 ± 6.82", "41 g/L", "4.1 g/dL")),
    ("timing of the sample", ("2026-01-09", "40")),
    ("earlier SII", ("2026-02-13", "700")),
    ("what laboratory imprecision does near the cut-off", ("50–85",)),
    ("versions", ("mappings-1",)),
]
# Sentences that carry an item of the contract, by the name of the text: said as they stand but for their figures.
SENTENCES = ["timing_note", "consider"]
WORDS = {
    "en": (
        "single center", "retrospective", "no residual lesions after therapy", "no external validation",
        "more lesions and vascular invasion", "10⁹/L is inferred", "prints no point estimate", "derived, not published",
        "2 interventional procedures within the last year", "residual disease", "infection", "steroids", "G-CSF",
        "transfusion", "splenectomy", "recent operation", "pregnancy", "other cancer", "not a diagnosis",
    ),
    "zh-Hans": (
        "单中心", "回顾性", "治疗后无残留病灶", "未报告外部验证", "多发病灶与血管侵犯",
        "10⁹/L为推断", "未给出点估计值", "推算，非文献发表",
        "2次介入治疗", "残留病灶", "感染", "糖皮质激素", "粒细胞集落刺激因子（G-CSF）", "输血",
        "脾切除术", "手术", "妊娠", "其他恶性肿瘤",
        "不作为诊断",
    ),
}  # fmt: skip


def full(language: str) -> str:
    return card(ORDINARY, POLICY, replace(OPTIONS, language=language, detail="full")).detail or ""


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("item", "figures"), ITEMS)
def test_full_detail_holds_the_figures_of_each_item(item: str, figures: tuple[str, ...], language: str) -> None:
    found = full(language).replace("\\", "")

    assert [figure for figure in figures if figure not in found] == [], item


@pytest.mark.parametrize("language", LANGUAGES)
def test_full_detail_holds_the_words_of_each_item(language: str) -> None:
    found = full(language)

    assert [words for words in WORDS[language] if words not in found] == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", SENTENCES)
def test_full_detail_holds_the_sentences_of_the_contract(name: str, language: str) -> None:
    texts: Texts = texts_in(language)

    assert getattr(texts, name) in full(language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_full_detail_gives_no_probability_and_no_html(language: str) -> None:
    found = full(language)

    assert "<" not in found
    assert "低风险" not in found
    assert "low risk" not in found
