"""The figures of generated cohorts against statsmodels and scipy, and against the contract word for word.

Tolerances: 1e-9 for closed forms, 1e-7 for Cox; standard errors of R stand in the tests of `statistics`.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.duration.survfunc import CumIncidenceRight, SurvfuncRight, survdiff
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import ttest_ind

from tests.support.cohort.assessed_folders import CUTOFF, drawn_rows, write_folder
from tests.unit.insight.cohort.validation.cohorts import entered, figures, run

if TYPE_CHECKING:
    from pathlib import Path

    from cds_service.insight.cohort.rows import AssessedRow

ROWS = drawn_rows(400, seed=11, designs=("baseline", "landmark:90"))
FOLLOW_UP, NEARLY = 1_826, 90
CLOSED_FORM, ITERATED = 1e-9, 1e-7


class Expected:
    """Arrays of one design, taken from the rows without the code under test."""

    def __init__(self, design: str, rows: list[AssessedRow] = ROWS) -> None:
        mine = [row for row in rows if row.design == design and row.entered]
        self.sii = np.array([float(row.sii or 0) for row in mine])
        self.above = np.array([row.outcome == "above-cutoff" for row in mine])
        self.time = np.array([row.time for row in mine], dtype=float)
        self.event = np.array([row.event for row in mine])
        self.known = (self.event > 0) | (self.time >= FOLLOW_UP - NEARLY)
        self.hit = (self.event == 1)[self.known]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return figures(tmp_path_factory.mktemp("figures"), ROWS)["designs"]


@pytest.fixture(params=["baseline", "landmark:90"])
def design(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_counts_and_binary_table_equal_the_rows(data: Any, design: str) -> None:
    expected, found = Expected(design), data[design]
    flagged = expected.above[expected.known]

    assert (found["n"], found["patients"]) == (len(expected.sii), len(expected.sii))
    assert [found[name] for name in ("censored", "events", "deaths")] == np.bincount(expected.event).tolist()
    assert found["binary"] == {
        "n": int(expected.known.sum()),
        "events": int(expected.hit.sum()),
        "tp": int((flagged & expected.hit).sum()),
        "fp": int((flagged & ~expected.hit).sum()),
        "fn": int((~flagged & expected.hit).sum()),
        "tn": int((~flagged & ~expected.hit).sum()),
        "left_out": int((~expected.known).sum()),
    }


def test_shares_and_ratio_equal_statsmodels(data: Any, design: str) -> None:
    found, table = data[design], data[design]["binary"]
    parts = {
        "sensitivity": (table["tp"], table["tp"] + table["fn"]),
        "specificity": (table["tn"], table["tn"] + table["fp"]),
        "ppv": (table["tp"], table["tp"] + table["fp"]),
        "npv": (table["tn"], table["tn"] + table["fn"]),
    }
    for name, (part, whole) in parts.items():
        limits = proportion_confint(part, whole, method="wilson")
        expected = (part / whole, *limits)
        assert tuple(found[name][key] for key in ("estimate", "lower", "upper")) == pytest.approx(
            expected, abs=CLOSED_FORM
        )
    risks = sm.stats.Table2x2([[table["tp"], table["fp"]], [table["fn"], table["tn"]]])
    expected = (risks.riskratio, *risks.riskratio_confint())
    assert tuple(found["relative_risk"][key] for key in ("estimate", "lower", "upper")) == pytest.approx(
        expected, rel=CLOSED_FORM
    )


def test_means_equal_statsmodels(data: Any, design: str) -> None:
    expected, found = Expected(design), data[design]
    sii = expected.sii[expected.known]
    for name, kind in (("t_test", "pooled"), ("welch", "unequal")):
        statistic, p, _ = ttest_ind(sii[expected.hit], sii[~expected.hit], usevar=kind)
        assert found[name]["statistic"] == pytest.approx(statistic, rel=CLOSED_FORM)
        assert found[name]["p"] == pytest.approx(p, rel=1e-8)


def test_area_is_the_share_of_pairs_in_the_right_order(data: Any, design: str) -> None:
    expected = Expected(design)
    sii = expected.sii[expected.known]
    statistic = stats.mannwhitneyu(sii[expected.hit], sii[~expected.hit]).statistic

    pairs = expected.hit.sum() * (~expected.hit).sum()
    assert data[design]["auc"]["estimate"] == pytest.approx(statistic / pairs, abs=CLOSED_FORM)


def test_youden_is_the_best_of_all_observed_values(data: Any, design: str) -> None:
    expected = Expected(design)
    sii = expected.sii[expected.known]
    scores = {value: (sii[expected.hit] > value).mean() - (sii[~expected.hit] > value).mean() for value in sii}

    assert data[design]["youden"]["index"] == pytest.approx(max(scores.values()), abs=CLOSED_FORM)
    assert scores[data[design]["youden"]["cutoff"]] == pytest.approx(max(scores.values()), abs=CLOSED_FORM)


def test_curves_equal_statsmodels(data: Any, design: str) -> None:
    expected = Expected(design)
    for name, group in (("above", expected.above), ("not_above", ~expected.above)):
        time, event = expected.time[group], expected.event[group]
        survival, incidence = SurvfuncRight(time, event == 1), CumIncidenceRight(time, event)
        for day in (365, 730, 1_095, 1_826):
            place = np.searchsorted(survival.surv_times, day, side="right") - 1
            assert data[design]["kaplan_meier"][name][str(day)] == {
                "estimate": pytest.approx(survival.surv_prob[place], abs=CLOSED_FORM),
                "se": pytest.approx(survival.surv_prob_se[place], abs=CLOSED_FORM),
            }
            place = np.searchsorted(incidence.times, day, side="right") - 1
            assert data[design]["cumulative_incidence"][name][str(day)]["estimate"] == pytest.approx(
                incidence.cinc[0][place], abs=CLOSED_FORM
            )
            assert data[design]["at_risk"][name][str(day)] == int((time >= day).sum())


def test_log_rank_and_hazards_equal_statsmodels(data: Any, design: str) -> None:
    expected, found = Expected(design), data[design]
    statistic, p = survdiff(expected.time, (expected.event == 1).astype(int), expected.above.astype(int))
    assert found["log_rank"]["statistic"] == pytest.approx(statistic, rel=CLOSED_FORM)
    assert found["log_rank"]["p"] == pytest.approx(p, rel=1e-7)
    for name, covariate in (("flag", expected.above.astype(float)), ("log2_sii", np.log2(expected.sii))):
        fit = sm.PHReg(expected.time, covariate[:, None], (expected.event == 1).astype(int), ties="efron").fit()
        assert found["cox"][name]["coefficient"] == pytest.approx(fit.params[0], abs=ITERATED)
        assert found["cox"][name]["se"] == pytest.approx(fit.bse[0], abs=ITERATED)
        assert found["cox"][name]["hazard_ratio"] == pytest.approx(np.exp(fit.params[0]), rel=ITERATED)


def test_net_benefit_follows_the_binary_table(data: Any, design: str) -> None:
    table, found = data[design]["binary"], data[design]["net_benefit"]
    for key in ("0.2", "0.3", "0.4", "0.5"):
        chance = float(key)
        expected = table["tp"] / table["n"] - table["fp"] / table["n"] * chance / (1 - chance)
        assert found[key] == pytest.approx(expected, abs=CLOSED_FORM)


def test_several_sites_are_pooled_stratified_and_shown(tmp_path: Path) -> None:
    parts = [entered(200, seed) for seed in (21, 22)]
    parts[1] = [row._replace(time=max((row.time or 0) - 200, 1)) for row in parts[1]]
    folders = [write_folder(tmp_path / f"site{place}", rows) for place, rows in enumerate(parts)]
    code, text, _ = run(*folders, "--json", "-", "--bootstrap", 20, "--min-cell", 1)
    assert code == 0
    found = json.loads(text)["designs"]["baseline"]
    pooled = Expected("baseline", parts[0] + parts[1])
    site = np.repeat([0, 1], [len(part) for part in parts])

    assert found["n"] == len(pooled.sii)
    statistic, _ = survdiff(pooled.time, (pooled.event == 1).astype(int), pooled.above.astype(int), strata=site)
    assert found["log_rank"]["statistic"] == pytest.approx(statistic, rel=CLOSED_FORM)
    fit = sm.PHReg(
        pooled.time, np.log2(pooled.sii)[:, None], (pooled.event == 1).astype(int), ties="efron", strata=site
    ).fit()
    assert found["cox"]["log2_sii"]["coefficient"] == pytest.approx(fit.params[0], abs=ITERATED)
    assert [found["sites"][f"site {place}"]["binary"]["n"] for place in (1, 2)] == [
        int(Expected("baseline", part).known.sum()) for part in parts
    ]


def row(patient: int, sii: str, time: int, event: int, **changed: Any) -> AssessedRow:
    outcome = "above-cutoff" if Decimal(sii) > CUTOFF else "not-above-cutoff"
    frame = entered(3, 1)[0]
    return frame._replace(patient=f"p{patient}", sii=Decimal(sii), outcome=outcome, time=time, event=event, **changed)


@pytest.mark.parametrize(
    ("sii", "time", "event", "cell", "reason"),
    [
        ("405.0800000000000000000000001", 700, 1, "tp", "above by less than a binary fraction can tell"),
        ("405.08", 700, 1, "fn", "at the cut-off is not above"),
        ("500", 1_826, 0, "fp", "followed to the end"),
        ("500", 1_736, 0, "fp", "to within 90 days of it"),
        ("500", 1_735, 0, "left_out", "lost a day earlier"),
        ("300", 12, 2, "tn", "dead without recurrence has no event, however early"),
        ("300", 1_826, 1, "fn", "an event on the last day"),
    ],
)
def test_binary_table_places_a_patient_by_the_contract(
    tmp_path: Path, sii: str, time: int, event: int, cell: str, reason: str
) -> None:
    table = figures(tmp_path, [row(1, sii, time, event)])["designs"]["baseline"]["binary"]

    counted = {name for name in ("tp", "fp", "fn", "tn", "left_out") if table[name]}
    assert counted == {cell}, reason


def test_follow_up_shortened_ends_later_events(tmp_path: Path) -> None:
    rows = [row(1, "500", 1_000, 1), row(2, "500", 1_001, 1), row(3, "300", 1_500, 2), row(4, "300", 950, 0)]
    found = figures(tmp_path, rows, "--follow-up", 1_000)["designs"]["baseline"]

    assert (found["events"], found["deaths"], found["censored"]) == (1, 0, 3)
    assert {name: found["binary"][name] for name in ("tp", "fp", "tn")} == {"tp": 1, "fp": 1, "tn": 2}
    assert found["kaplan_meier"]["above"]["1095"]["estimate"] is None


def test_area_counts_a_tie_by_half_and_shares_of_the_leukocytes_are_no_counts(tmp_path: Path) -> None:
    rows = [row(1, "500", 100, 1, basis="percent"), row(2, "500", 1_826, 0)]
    found = figures(tmp_path, rows)["designs"]["baseline"]

    assert found["auc"]["estimate"] == 0.5
    assert (found["measures"]["neutrophils"]["event"]["n"], found["measures"]["platelets"]["event"]["n"]) == (0, 1)


def test_horizons_are_the_keys(tmp_path: Path) -> None:
    found = figures(tmp_path, entered(60, 2), "--horizons", "90, 30,90")["designs"]["baseline"]

    assert list(found["kaplan_meier"]["above"]) == list(found["cumulative_incidence"]["not_above"]) == ["30", "90"]


def test_thresholds_count_flagged_found_and_missed_per_week(tmp_path: Path) -> None:
    rows = entered(150, 4)
    found = figures(tmp_path, rows)["designs"]["baseline"]
    expected = Expected("baseline", rows)
    sii, hit = expected.sii[expected.known], expected.hit
    days = [one.decision for one in rows]
    weeks = (max(days) - min(days)).days / 7

    assert 405.08 in [line["cutoff"] for line in found["thresholds"]]
    for line in found["thresholds"]:
        flagged = sii > line["cutoff"]
        assert (line["flagged"], line["found"], line["missed"]) == (
            flagged.sum(), (flagged & hit).sum(), (~flagged & hit).sum(),
        )  # fmt: skip
        assert line["per_week"] == pytest.approx(flagged.sum() / weeks)


def test_several_rows_of_one_patient_count_as_rows_and_are_resampled_together(tmp_path: Path) -> None:
    rows = entered(120, 6)
    doubled = [*rows, *(one._replace(decision=one.decision.replace(year=one.decision.year + 1)) for one in rows)]
    once = figures(tmp_path / "once", rows)["designs"]["baseline"]
    twice = figures(tmp_path / "twice", doubled)["designs"]["baseline"]

    assert (twice["n"], twice["patients"]) == (2 * len(rows), len(rows))
    loss, same = once["recommendation"]["youden_loss"], twice["recommendation"]["youden_loss"]
    assert same == pytest.approx(loss)
