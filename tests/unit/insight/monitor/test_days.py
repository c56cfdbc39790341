"""What a day adds up to."""

import tracemalloc
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from cds_service.audit.records import ExcludedEntry, ResultEntry, ViewRecord
from cds_service.insight.monitor.days import Tallier
from cds_service.insight.row import Exclusion, row_of_record
from cds_service.insight.tally import Tally
from tests.unit.insight.monitor.samples import NOON, ZONE, feedback, hook, tallied

DAY = date(2026, 3, 10)


def test_tally_chart_opened_again_counts_hooks_but_one_patient() -> None:
    tally = tallied(hook(), hook(), hook(patient="p2")).of("main-ehr", DAY)

    assert (tally.hooks, tally.eligible, tally.decided) == (3, 2, 2)


def test_tally_same_patient_next_day_counts_again() -> None:
    tallies = tallied(hook(), hook(time=(NOON + timedelta(days=1)).astimezone(UTC)))

    assert [tallies.of("main-ehr", day).eligible for day in (DAY, DAY + timedelta(days=1))] == [1, 1]


def test_tally_day_is_the_day_of_the_zone() -> None:
    # 23:30 in UTC is half past eight of the next morning in Tokyo.
    record = hook(time=datetime(2026, 3, 9, 23, 30, tzinfo=UTC))

    assert tallied(record).of("main-ehr", DAY).hooks == 1


def test_tally_clients_are_kept_apart() -> None:
    tallies = tallied(hook(), hook(client="second-ehr"))

    assert tallies.clients == ["main-ehr", "second-ehr"]
    assert tallies.of("second-ehr", DAY).eligible == 1


@pytest.mark.parametrize(
    ("record", "counted", "reason"),
    [
        (hook("not-eligible", reasons=("under-age",)), ("refusals", "under-age"), "not eligible: a reason of the hook"),
        (hook("indeterminate", reasons=("stale",)), ("reasons", "stale"), "indeterminate: a reason of the patient"),
        (hook("data-unavailable", missing=("conditions",)), ("missing", "conditions"), "refused by failure"),
        (feedback(reason_code="not-relevant"), ("override_reasons", "not-relevant"), "an override with its reason"),
        (feedback(), ("override_reasons", "none given"), "an override without one"),
        (feedback("accepted"), ("answers", "accepted"), "an accepted card"),
    ],
)
def test_tally_record_is_counted_once(record: object, counted: tuple[str, str], reason: str) -> None:
    tally = tallied(record).of("main-ehr", DAY)  # type: ignore[arg-type]  # either kind

    assert getattr(tally, counted[0])[counted[1]] == 1, reason


def test_tally_unavailable_data_make_no_patient() -> None:
    tally = tallied(hook("data-unavailable", missing=("conditions",)), hook()).of("main-ehr", DAY)

    assert (tally.hooks, tally.eligible) == (2, 1)


def test_tally_two_exclusions_alike_count_one_patient() -> None:
    refused = ExcludedEntry(reference="Observation/1", analyte="platelets", reason="unit-unknown")
    tally = tallied(hook(excluded=(refused, refused))).of("main-ehr", DAY)

    assert tally.excluded == {Exclusion("unit-unknown", "platelets"): 1}


def test_tally_values_percentages_are_a_spread_of_their_own() -> None:
    results = [
        ResultEntry(analyte="neutrophils", reference="", code="c", basis="b", effective="e", value=value, unit=unit)
        for value, unit in ((Decimal("3.0"), "10*9/L"), (Decimal("0.6"), "1"))
    ]
    tally = tallied(hook(used=tuple(results), sii="305.2")).of("main-ehr", DAY)

    assert set(tally.spreads) == {"neutrophils", "neutrophils-share", "sii", "latency"}


def test_tally_age_of_the_draw_is_in_days() -> None:
    tally = tallied(hook(sample_time="2026-03-03T08:00:00+09:00")).of("main-ehr", DAY)

    assert tally.spreads["sample-age"] == {7: 1}


def test_tally_hidden_card_is_not_shown() -> None:
    tally = tallied(hook("above-cutoff", card="c", shown=False, mode="silent")).of("main-ehr", DAY)

    assert (tally.patients["above-cutoff"], tally.above_shown, tally.shown) == (1, 0, 0)


def test_merge_adds_every_member_up() -> None:
    record = hook("above-cutoff", card="c", shown=True, sii="500", sample_time="2026-03-03")
    one = tallied(record, feedback()).of("main-ehr", DAY)
    total = Tally()
    total.merge(one)
    total.merge(one)

    assert (total.hooks, total.shown, total.above_shown, total.answers.total()) == (2, 2, 2, 2)
    assert total.spreads["sii"].total() == 2
    assert one.hooks == 1


def test_tallier_counts_hooks_of_its_service_and_no_views() -> None:
    """A page of the trend app is opened by hand: a busy clinic is no change of the rule."""
    decided = msgspec.structs.asdict(hook())
    for name in ("hook_instance", "mode", "presentation"):
        del decided[name]
    tallies = tallied(hook(), hook(service="nlr-risk", patient="p2"), ViewRecord(**{**decided, "patient": "p3"}))

    assert tallies.of("main-ehr", NOON.date()).hooks == 1
    assert tallies.first_day == NOON.date()


def test_tallier_memory_grows_with_the_days_and_not_with_the_patients() -> None:
    """A hash in a set takes 90 bytes or so: 500 new patients a day would be 45 kB a day if they were kept."""
    row = row_of_record(hook("above-cutoff", sii="500"), ZONE)
    tallier = Tallier(row.service)

    def count_days(first: int, last: int) -> int:
        for day in range(first, last):
            for patient in range(500):
                tallier.add(row._replace(day=DAY + timedelta(days=day), patient=f"{day}-{patient}"))
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        before = count_days(0, 4)
        grown = count_days(4, 14) - before
    finally:
        tracemalloc.stop()

    assert tallier.tallies.of("main-ehr", DAY).eligible == 500
    assert grown < 10 * 20_000
