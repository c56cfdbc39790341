"""Search in a log of pseudonyms: by the plain id of a patient or of a user, and what a missing key leaves open."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from cds_service.audit.keys import pseudonym
from cds_service.audit.search import Concealed, Found, Query, Unreadable, encounter_forms, ids_of, patient_forms, search
from cds_service.audit.users import user_forms
from tests.unit.audit.samples import KEY, NOW, Clock, audit_log, feedback_record, files_of, hook_record

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

OLD_KEY = b"the key of years ago, 32 bytes !"


def found_ids(found: Iterable[Found | Unreadable | Concealed]) -> list[str]:
    return [one.record.request_id for one in found if isinstance(one, Found)]


def test_search_plain_id_finds_pseudonyms_of_all_keys_and_plain_records(tmp_path: Path) -> None:
    audit_log(tmp_path, key=None).append(hook_record(request_id="plain", patient="p1"))
    for name, key in (("old", OLD_KEY), ("new", KEY)):
        audit_log(tmp_path, key=key).append(hook_record(request_id=name, patient="p1", pseudonym_key=key))

    for patient, keys, ids in (("p1", (KEY, OLD_KEY), ["plain", "old", "new"]), ("p1", (KEY,), ["plain", "new"])):
        assert found_ids(search(tmp_path, Query(patients=patient_forms(patient, keys)))) == ids
    assert found_ids(search(tmp_path, Query(patients=patient_forms("p2", (KEY, OLD_KEY))))) == []


@pytest.mark.parametrize(
    ("encounter", "keys", "ids", "concealed", "reason"),
    [
        ("e1", (KEY,), ["h1", "f1"], 0, "the pseudonym under the key, with the feedback of the card"),
        ("e2", (KEY,), [], 0, "another encounter"),
        ("e1", (), [], 1, "without the key nobody can tell"),
    ],
)
def test_search_plain_encounter_finds_pseudonyms(
    tmp_path: Path, encounter: str, keys: tuple[bytes, ...], ids: list[str], concealed: int, reason: str
) -> None:
    log = audit_log(tmp_path)
    log.append(hook_record(request_id="h1", encounter="e1", pseudonym_key=KEY))
    log.append(feedback_record(request_id="f1"))
    query = Query(encounters=encounter_forms(encounter, keys), key_ids=ids_of(keys))
    found = list(search(tmp_path, query))

    assert found_ids(found) == ids, reason
    assert sum(isinstance(one, Concealed) for one in found) == concealed, reason


@pytest.fixture
def two_keys(tmp_path: Path) -> Path:
    """A log of three days: plain patients without a key, then pseudonyms under the old key, then under the new one."""
    clock = Clock()
    for number, (name, key) in enumerate((("plain", None), ("old", OLD_KEY), ("new", KEY))):
        log = audit_log(tmp_path, key=key, clock=clock)
        now = NOW + timedelta(days=number)
        for patient in ("p1", "p2"):
            call = hook_record(request_id=f"{name}-{patient}", card=f"{name}-{patient}", now=now, patient=patient)
            pseudonymized = patient if key is None else pseudonym(key, patient)
            log.append(msgspec.structs.replace(call, patient=pseudonymized))
        clock.advance(days=1)
    log.append(feedback_record("old-p1", request_id="late", time=NOW + timedelta(days=2)))
    return tmp_path


@pytest.mark.parametrize(
    ("keys", "conditions", "ids", "concealing", "reason"),
    [
        ((OLD_KEY, KEY), {}, ["plain-p1", "old-p1", "new-p1", "late"], [], "all keys at hand"),
        ((KEY,), {}, ["plain-p1", "new-p1"], [1], "the key of the configuration alone"),
        ((), {}, ["plain-p1"], [1, 2], "no key at all"),
        ((b"some key that was never used here",), {}, ["plain-p1"], [1, 2], "a wrong key"),
        ((KEY,), {"until": NOW + timedelta(hours=1)}, ["plain-p1"], [], "the time before the old key"),
        ((KEY,), {"since": NOW + timedelta(days=2)}, ["new-p1"], [1], "late feedback on a card of the old key"),
        ((KEY,), {"since": NOW + timedelta(days=2), "outcome": "above-cutoff"}, ["new-p1"], [], "hooks alone"),
        ((KEY,), {"outcome": "overridden"}, [], [1], "feedback alone"),
        ((KEY,), {"user": "Practitioner/q"}, [], [], "nobody asked for this user"),
        ((KEY,), {"client": "other"}, [], [], "nor for this client"),
    ],
)
def test_search_patient_names_files_whose_pseudonyms_it_cannot_compare(
    two_keys: Path,
    keys: tuple[bytes, ...],
    conditions: dict[str, Any],
    ids: list[str],
    concealing: list[int],
    reason: str,
) -> None:
    query = Query(patients=patient_forms("p1", keys), key_ids=ids_of(keys), **conditions)
    found = list(search(two_keys, query))

    assert found_ids(found) == ids, reason
    names = [path.name for path in files_of(two_keys)]
    assert [names.index(one.file) for one in found if isinstance(one, Concealed)] == concealing, reason


@pytest.fixture
def asking_patients(tmp_path: Path) -> Path:
    """A log of three days: patients ask themselves, first without a key, then under the old key, then the new one."""
    clock = Clock()
    for name, key in (("plain", None), ("old", OLD_KEY), ("new", KEY)):
        log = audit_log(tmp_path, key=key, clock=clock)
        for user in ("Patient/p1", "RelatedPerson/r1", "Practitioner/p"):
            call = f"{name}-{user.partition('/')[0]}"
            log.append(hook_record(request_id=call, card=call, user=user, patient="p1", pseudonym_key=key))
        clock.advance(days=1)
    log.append(feedback_record("old-Patient", request_id="late"))
    return tmp_path


@pytest.mark.parametrize(
    ("user", "keys", "patient", "ids", "concealing", "reason"),
    [
        ("Patient/p1", (OLD_KEY, KEY), None, ["plain-Patient", "old-Patient", "new-Patient", "late"], [], "all keys"),
        ("Patient/p1", (KEY,), None, ["plain-Patient", "new-Patient"], [1], "the key of the configuration alone"),
        ("https://x/Patient/p1", (KEY,), None, ["new-Patient"], [1], "an absolute reference"),
        ("RelatedPerson/r1", (), None, ["plain-RelatedPerson"], [1, 2], "no key at all"),
        ("RelatedPerson/r2", (OLD_KEY, KEY), None, [], [], "nobody"),
        ("Practitioner/p", (), None, ["plain-Practitioner", "old-Practitioner", "new-Practitioner"], [], "as they are"),
        ("Practitioner/p", (KEY,), "p1", ["plain-Practitioner", "new-Practitioner"], [1], "asked about the patient"),
        ("Patient/p1", (KEY,), "p1", ["plain-Patient", "new-Patient"], [1], "both are pseudonyms"),
        ("Patient/p2", (OLD_KEY, KEY), "p1", [], [], "another patient asked about this one"),
    ],
)
def test_search_user_who_is_a_patient_is_found_behind_the_pseudonym(
    asking_patients: Path,
    user: str,
    keys: tuple[bytes, ...],
    patient: str | None,
    ids: list[str],
    concealing: list[int],
    reason: str,
) -> None:
    patients = patient_forms(patient, keys) if patient is not None else None
    query = Query(patients=patients, user=user, user_forms=user_forms(user, keys), key_ids=ids_of(keys))
    found = list(search(asking_patients, query))

    assert found_ids(found) == ids, reason
    names = [path.name for path in files_of(asking_patients)]
    assert [names.index(one.file) for one in found if isinstance(one, Concealed)] == concealing, reason


def test_search_patient_file_with_damaged_first_line_may_hold_more(two_keys: Path) -> None:
    path = files_of(two_keys)[1]
    path.write_bytes(path.read_bytes().replace(b'"kind":"opened"', b'"kind":"opaned"', 1))
    keys = (OLD_KEY, KEY)
    found = list(search(two_keys, Query(patients=patient_forms("p2", keys), key_ids=ids_of(keys))))

    assert Unreadable(path.name, 1) in found
    assert Concealed(path.name) in found
