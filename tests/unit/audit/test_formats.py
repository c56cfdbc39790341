"""Format 2 reads format 1, and a reader of format 1 refuses format 2 instead of misreading it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec
import pytest
from click.testing import CliRunner

from cds_service.audit.bookkeeping import FORMAT, ContinuedRecord, OpenedRecord
from cds_service.audit.chain import ChainKey, bind, encode_payload, read_opened
from cds_service.audit.files import file_name
from cds_service.audit.policies import UnknownLimitError, decode_policy, encode_policy
from cds_service.audit.reading import read_entries, verify_log
from cds_service.audit.records import ConfigurationRecord, HookRecord
from cds_service.cli.main import main
from cds_service.clinical.policy import ClinicalPolicy
from tests.unit.audit.samples import (
    KEY,
    NOW,
    POLICY,
    Clock,
    audit_log,
    feedback_record,
    files_of,
    hook_record,
    why_broken,
)
from tests.unit.audit.test_stated_limits import limits

EARLIER = Path(__file__).resolve().parents[2] / "fixtures" / "audit"


class HookOfFormat1(msgspec.Struct, tag_field="kind", tag="hook"):
    """What sii-cds 0.1 demands of a hook record."""

    time: datetime
    request_id: str
    hook_instance: str
    client: str
    user: str
    patient: str
    outcome: str
    mode: Literal["active", "silent"]
    rule_version: str
    mapping_version: str
    configuration: str
    timezone: str


class ConfigurationOfFormat1(msgspec.Struct, tag_field="kind", tag="configuration"):
    """What sii-cds 0.1 demands of a configuration record, as far as it matters here."""

    time: datetime
    configuration: str
    timezone: str
    cutoff: str


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EARLIER, tmp_path / "audit", ignore=shutil.ignore_patterns("README.md")))


@pytest.mark.parametrize("line", [encode_payload(hook_record()), limits("a")])
def test_record_of_format_2_cannot_be_read_as_one_of_format_1(line: bytes) -> None:
    """Such a line would be counted for a service that it is not of."""
    with pytest.raises(msgspec.ValidationError, match="required field `timezone`"):
        msgspec.json.decode(line, type=HookOfFormat1 | ConfigurationOfFormat1)


@pytest.mark.parametrize(("key", "algorithm"), [(None, "sha256"), (KEY, "hmac-sha256")])
def test_first_line_of_a_file_tells_a_reader_of_format_1_what_it_cannot_read(
    tmp_path: Path, key: bytes | None, algorithm: str
) -> None:
    """It compares the whole text, takes the file for one of another key, and prints the text."""
    audit_log(tmp_path, key=key).append(hook_record())
    opened = read_opened(files_of(tmp_path)[0].read_bytes().splitlines(keepends=True)[0])

    assert opened is not None
    assert (opened.format, FORMAT) == (2, 2)
    assert opened.algorithm == f"{algorithm} in record format 2, which sii-cds 0.1 cannot read"


def test_log_of_format_1_goes_on_in_a_new_file_and_stays_whole(earlier: Path) -> None:
    audit_log(earlier, key=None, clock=Clock(datetime(2026, 11, 27, 23, tzinfo=UTC))).append(hook_record())

    assert verify_log(earlier).broken is None
    opened = [read_opened(path.read_bytes().splitlines(keepends=True)[0]) for path in files_of(earlier)]
    assert [one.format for one in opened if one is not None] == [1, 2]


def test_log_that_a_service_of_0_1_went_on_with_is_whole(tmp_path: Path) -> None:
    """An update that was taken back: the earlier service begins a file of its own after ours, and does not close it."""
    log = audit_log(tmp_path, key=None)
    log.append(hook_record())
    before, key = log.head(), ChainKey(None)
    previous = ContinuedRecord(before.sequence, before.link)
    opened = OpenedRecord(time=NOW, format=1, algorithm="sha256", previous=previous)
    line, _ = bind(encode_payload(opened), before.sequence + 1, before.link, key)
    (tmp_path / file_name(before.sequence + 1, NOW)).write_bytes(line)
    audit_log(tmp_path, key=None).append(hook_record())

    found = verify_log(tmp_path)
    assert found.broken is None
    assert (found.files, found.counts["hook"]) == (3, 2)


def test_records_of_format_1_are_of_the_first_service(earlier: Path) -> None:
    records = [entry.record for entry in read_entries(earlier)]

    services = {record.service for record in records if isinstance(record, HookRecord | ConfigurationRecord)}
    assert services == {"sii-recurrence-risk"}
    assert None not in records


def test_limits_of_format_1_are_read_as_a_policy(earlier: Path) -> None:
    (record,) = [entry.record for entry in read_entries(earlier) if isinstance(entry.record, ConfigurationRecord)]

    assert decode_policy(bytes(record.policy), ClinicalPolicy) == ClinicalPolicy(ZoneInfo("UTC"))


def test_file_of_a_later_format_is_refused_with_a_sentence(tmp_path: Path) -> None:
    audit_log(tmp_path).append(hook_record())
    (file,) = files_of(tmp_path)
    file.write_bytes(file.read_bytes().replace(b'"format":2', b'"format":3', 1))

    assert why_broken(tmp_path) == (
        "the file is in record format 3, which this version does not know; use a later sii-cds"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WiderPolicy:
    """Every kind of value that a policy has or may gain."""

    zone: tzinfo
    cutoff: Decimal = Decimal("405.08")
    window: timedelta = timedelta(minutes=60)
    statuses: frozenset[str] = frozenset({"final", "amended"})
    required: bool = True
    years: int | None = None
    source: str = "published"
    numbers: tuple[int, ...] = field(default=(1, 2))


@pytest.mark.parametrize(
    "policy",
    [
        POLICY,
        ClinicalPolicy(ZoneInfo("Europe/Berlin"), cutoff=Decimal("330.50"), same_draw=timedelta(minutes=90)),
        WiderPolicy(zone=ZoneInfo("Asia/Tokyo"), years=5),
    ],
)
def test_policy_written_and_read_is_the_same(policy: Any) -> None:
    raw = bytes(encode_policy(policy))

    assert decode_policy(raw, type(policy)) == policy
    assert msgspec.json.decode(raw).keys() == {member.name for member in fields(policy)}


def test_policy_of_a_fixed_zone_is_kept_by_its_name() -> None:
    assert b'"timezone":"UTC"' in bytes(encode_policy(ClinicalPolicy(UTC)))


def test_policy_from_before_a_limit_existed_has_its_default() -> None:
    raw = encode_policy(POLICY)
    members = msgspec.json.decode(bytes(raw))
    del members["max_age_days"]

    assert decode_policy(msgspec.json.encode(members), ClinicalPolicy) == POLICY


def test_policy_with_a_limit_that_nobody_knows_is_not_read_without_it() -> None:
    members = {**msgspec.json.decode(bytes(encode_policy(POLICY))), "follow_up_decades": 1}

    with pytest.raises(UnknownLimitError, match="follow_up_decades"):
        decode_policy(msgspec.json.encode(members), ClinicalPolicy)


@pytest.mark.parametrize(
    ("encounter", "key", "expected"),
    [("enc-1", None, "enc-1"), ("", None, ""), ("", KEY, "")],
)
def test_encounter_is_kept_like_the_patient(encounter: str, key: bytes | None, expected: str) -> None:
    assert hook_record(encounter=encounter, pseudonym_key=key).encounter == expected


def test_encounter_has_a_pseudonym_of_its_own() -> None:
    record = hook_record(encounter="p1", patient="p1", pseudonym_key=KEY)

    assert record.encounter.startswith("hmac:")
    assert record.encounter != record.patient


def test_report_of_one_service_leaves_the_other_out_and_says_so(tmp_path: Path) -> None:
    log = audit_log(tmp_path, key=None)
    for service, times in (("sii-recurrence-risk", 2), ("nlr-risk", 3)):
        for _ in range(times):
            log.append(hook_record(service=service))
            log.append(feedback_record(service=service))

    def report(*options: str) -> str:
        return CliRunner().invoke(main, ["audit", "report", "--directory", str(tmp_path), *options]).output

    told = " ".join(report().split())
    assert "2 hook calls" in told
    assert "Hook calls of another service, which this page is not about: nlr-risk, 3." in told
    # A service that this version does not offer has no cut-off here by which its values could be told.
    assert "no CDS Service 'nlr-risk'; known are: sii-recurrence-risk" in report("--service", "nlr-risk")
