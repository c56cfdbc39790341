"""Snooze from hook to hook: overridden cards stay away for their time, and everything doubtful is shown."""

from __future__ import annotations

import json
import logging
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from cds_service.decision.snoozing import SnoozeOptions, Snoozing
from cds_service.hooks.feedback import FeedbackItem
from cds_service.services.sii_recurrence_risk import SII_RECURRENCE_RISK as SII
from cds_service.state.installation_key import InstallationKey
from cds_service.state.snoozes import SnoozeStore
from tests.support.charts import NOW, bundle, days_ago, draw, hook_request, observation, procedure
from tests.support.snooze_site import HOOK, HOURS, Hospital, ask, override, shown
from tests.unit.decision.asking import CLIENT, decision

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def hospital(tmp_path: Path) -> Hospital:
    return Hospital(tmp_path, cards={"snooze_hours": HOURS, "snooze_unless_sii_rises_percent": 25})


def test_snooze_overridden_card_stays_away_for_its_time_on_every_worker(hospital: Hospital) -> None:
    first, second = hospital.worker(), hospital.worker()
    override(second, ask(first)["cards"][0]["uuid"])

    assert not shown(first)
    assert not shown(second)
    hospital.now = NOW + timedelta(hours=HOURS, seconds=-1)
    assert not shown(first)
    hospital.now = NOW + timedelta(hours=HOURS)
    assert shown(second)


def test_snooze_is_told_in_the_extension_and_in_the_record(hospital: Hospital) -> None:
    worker = hospital.worker()
    override(worker, ask(worker)["cards"][0]["uuid"])

    told = ask(worker)["extension"]["org.sii-cds.assessment"]

    assert (told["outcome"], told["presentation"]) == ("above-cutoff", "snoozed")
    assert told["snoozedUntil"] == "2026-11-26T10:00:00+00:00"
    before, after = hospital.records()
    assert (before["presentation"], before["shown"]) == ("shown", True)
    assert (after["presentation"], after.get("shown", False)) == ("snoozed", False)
    assert after["card"] != before["card"], "the card that was kept back has its uuid in the record"


@pytest.mark.parametrize(
    ("platelets", "is_shown", "reason"),
    [
        # SII was 210 x 6.1 / 1.8 = 711.667; a quarter more is 889.58.
        (262, False, "887.9 is within the share"),
        (263, True, "891.3 is above it"),
        (150, False, "it fell, and is above the cut-off still"),
    ],
)
def test_snooze_ends_when_sii_rises(hospital: Hospital, platelets: int, is_shown: bool, reason: str) -> None:
    worker = hospital.worker()
    override(worker, ask(worker)["cards"][0]["uuid"])

    assert shown(worker, *draw(platelets, when=days_ago(1))) == is_shown, reason


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"outcome": "accepted"}, "accepted, not overridden"),
        ({"at": NOW - timedelta(hours=HOURS)}, "an override of three days ago, sent now"),
    ],
)
def test_snooze_does_not_begin(hospital: Hospital, answer: dict[str, Any], reason: str) -> None:
    worker = hospital.worker()
    override(worker, ask(worker)["cards"][0]["uuid"], **answer)

    assert shown(worker), reason


@pytest.mark.parametrize(
    ("outcomes", "is_shown", "reason"),
    [
        (("overridden", "accepted"), True, "taken back"),
        (("accepted", "overridden"), True, "feedback may come late: nobody knows which was the last word"),
        (("overridden", "accepted", "overridden"), True, "they contradict each other, so the card is shown"),
        (("overridden", "overridden"), False, "they agree"),
    ],
)
@pytest.mark.parametrize("together", [True, False], ids=["one batch", "one by one"])
def test_snooze_card_that_was_accepted_too_is_shown(
    hospital: Hospital, outcomes: tuple[str, ...], is_shown: bool, reason: str, together: bool
) -> None:
    first, second = hospital.worker(), hospital.worker()
    card = ask(first)["cards"][0]["uuid"]
    items = [{"card": card, "outcome": outcome, "outcomeTimestamp": NOW.isoformat()} for outcome in outcomes]
    batches = [items] if together else [[one] for one in items]
    for worker, batch in zip((first, second, first), batches, strict=False):
        assert worker.post(f"{HOOK}/feedback", json={"feedback": batch}).status_code == 200

    assert shown(second) == is_shown, reason


def test_snooze_accepted_card_ends_that_of_another_with_the_same_advice(hospital: Hospital) -> None:
    worker = hospital.worker()
    one, other, third = (ask(worker)["cards"][0]["uuid"] for _ in range(3))
    override(worker, one)
    override(worker, other, outcome="accepted")
    assert shown(worker), "somebody took the advice that somebody else put aside"

    override(worker, third)
    assert not shown(worker), "a new override counts anew"
    override(worker, "123456", outcome="accepted")
    assert not shown(worker), "of a card nobody knows nothing follows"


def test_snooze_of_an_unknown_card_hides_nothing(hospital: Hospital) -> None:
    worker = hospital.worker()
    override(worker, "123456")

    assert shown(worker)


def test_snooze_begins_at_the_override_also_when_the_clock_of_the_ehr_is_ahead(hospital: Hospital) -> None:
    worker = hospital.worker()
    override(worker, ask(worker)["cards"][0]["uuid"], at=NOW + timedelta(days=300))

    hospital.now = NOW + timedelta(hours=HOURS)
    assert shown(worker)


def test_snooze_card_uuid_in_capitals_is_the_same_card(hospital: Hospital) -> None:
    worker = hospital.worker()
    override(worker, ask(worker)["cards"][0]["uuid"].upper())

    assert not shown(worker)


def test_snooze_of_an_info_card_ends_with_its_reasons(hospital: Hospital) -> None:
    worker = hospital.worker()
    override(worker, ask(worker, *draw(None))["cards"][0]["uuid"])

    assert not shown(worker, *draw(None)), "the same is missing"
    assert shown(worker, *draw(None, None)), "something else is missing, too"
    assert shown(worker), "SII can be told"


def test_snooze_holds_for_one_patient(hospital: Hospital) -> None:
    worker = hospital.worker()
    override(worker, ask(worker)["cards"][0]["uuid"])
    other = json.loads(json.dumps(hook_request()).replace('"p1"', '"p2"').replace("Patient/p1", "Patient/p2"))

    assert worker.post(HOOK, json=other).get_json()["cards"]


def test_snooze_another_cutoff_shows_the_card(hospital: Hospital) -> None:
    worker = hospital.worker()
    override(worker, ask(worker)["cards"][0]["uuid"])
    hospital.configuration["rule"] = {"cutoff": 500, "cutoff_source": "our own study"}

    assert shown(hospital.worker())


def test_snooze_state_store_away_shows_the_card_and_says_so(
    hospital: Hospital, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    worker = hospital.worker()
    card = ask(worker)["cards"][0]["uuid"]
    override(worker, card)
    for path in tmp_path.glob("state.db*"):
        path.unlink()
    (tmp_path / "state.db").mkdir()

    with caplog.at_level(logging.WARNING):
        assert shown(worker)
        override(worker, card)
    said = " ".join(record.message for record in caplog.records)
    assert "the card is shown, nobody knows whether it is snoozed" in said
    assert "an answer was recorded and changes no snooze of its card" in said


def test_snooze_off_by_default_touches_no_state(tmp_path: Path) -> None:
    hospital = Hospital(tmp_path)
    worker = hospital.worker()
    override(worker, ask(worker)["cards"][0]["uuid"])

    assert shown(worker)
    assert "presentation" not in ask(worker)["extension"]["org.sii-cds.assessment"]


def test_snooze_silent_mode_shows_nothing_and_snoozes_nothing(hospital: Hospital) -> None:
    hospital.configuration["service"] = {"mode": "silent"}
    worker = hospital.worker()

    assert ask(worker) == {"cards": []}
    override(worker, hospital.records()[0]["card"])
    ask(worker)
    assert [record["presentation"] for record in hospital.records()] == ["silent", "silent"]


def test_snooze_state_holds_no_patient_id_or_card(hospital: Hospital, tmp_path: Path) -> None:
    worker = hospital.worker()
    card = ask(worker, procedures=bundle(procedure()), albumin=bundle(observation("1751-7", 38, "g/L")))["cards"][0]
    override(worker, card["uuid"])

    stored = b"".join(path.read_bytes() for path in tmp_path.glob("state.db*"))
    assert b"snoozed_card" in stored
    assert b"711.667" in stored
    assert card["uuid"].encode() not in stored
    assert b"p1" not in stored.replace(b"sqlite_autoindex", b"")


def test_snooze_works_for_several_hosts_on_postgresql(postgresql_url: str) -> None:
    options = SnoozeOptions(timedelta(hours=HOURS), Decimal("0.25"))
    found = decision(hook_request())
    item = FeedbackItem("card", "overridden", NOW)
    with closing(SnoozeStore(postgresql_url)) as one, closing(SnoozeStore(postgresql_url)) as other:
        keys = InstallationKey(postgresql_url), InstallationKey(postgresql_url)
        first, second = (Snoozing(store, options, key, SII) for store, key in zip((one, other), keys, strict=True))
        first.note_shown("card", "p1", CLIENT, found, NOW)
        for _ in range(2):
            second.take_feedback([item, FeedbackItem("123456", "overridden", NOW)], CLIENT, NOW)

        end = NOW + timedelta(hours=HOURS)
        assert [host.until("p1", CLIENT, found, NOW) for host in (first, second)] == [end, end]
        assert first.until("p2", CLIENT, found, NOW) is None
        assert first.until("p1", replace(CLIENT, name="other"), found, NOW) is None
        assert second.until("p1", CLIENT, found, end) is None
        first.take_feedback([FeedbackItem("card", "accepted", NOW)], CLIENT, NOW)
        second.take_feedback([item], CLIENT, NOW)
        assert [host.until("p1", CLIENT, found, NOW) for host in (first, second)] == [None, None]
        second.note_shown("later", "p9", CLIENT, found, end + timedelta(days=8))
        assert other.find(b"", 0) is None
        for key in keys:
            key.close()


def test_snooze_without_an_audit_key_two_installations_keep_one_patient_under_two_hashes(tmp_path: Path) -> None:
    """A hash without a key of its own is undone by trying patient ids: it would be the same everywhere."""
    hashes = []
    for name in ("one", "two"):
        place = Hospital(tmp_path / name, cards={"snooze_hours": HOURS})
        place.directory.mkdir()
        ask(place.worker())
        with closing(sqlite3.connect(place.directory / "state.db")) as database:
            hashes += database.execute("SELECT subject_hash FROM shown_card").fetchall()

    assert len(set(hashes)) == 2


def test_snooze_of_one_service_hides_no_card_of_another(tmp_path: Path) -> None:
    options = SnoozeOptions(timedelta(hours=HOURS), Decimal("0.25"))
    found = decision(hook_request())
    with closing(SnoozeStore(f"sqlite:///{tmp_path / 'state.db'}")) as store:
        one = Snoozing(store, options, lambda: b"key", SII)
        other = Snoozing(store, options, lambda: b"key", replace(SII, id="nlr-recurrence-risk"))
        one.note_shown("card", "p1", CLIENT, found, NOW)
        one.take_feedback([FeedbackItem("card", "overridden", NOW)], CLIENT, NOW)

        assert one.until("p1", CLIENT, found, NOW) is not None
        assert other.until("p1", CLIENT, found, NOW) is None


def test_snooze_key_that_cannot_be_had_shows_the_card_and_says_so(
    hospital: Hospital, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "state.db.key").write_bytes(b"cut short")
    worker = hospital.worker()
    override(worker, ask(worker)["cards"][0]["uuid"])

    assert shown(worker)
    assert "holds no key" in caplog.text
