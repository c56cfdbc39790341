"""Verification: any edit of a log is found, and the first broken record is named."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.audit.bookkeeping import OpenedRecord
from cds_service.audit.chain import ChainHead, ChainKey, bind, encode_payload, read_line
from cds_service.audit.reading import verify_log
from cds_service.audit.verification import verify_chain
from tests.unit.audit.samples import KEY, OTHER_KEY, Clock, audit_log, feedback_record, files_of, hook_record

if TYPE_CHECKING:
    from cds_service.audit.verification import Verification

Spot = tuple[int, int]
Lines = list[tuple[str, list[bytes]]]


@cache
def written(key: bytes | None = KEY) -> tuple[tuple[str, tuple[bytes, ...]], ...]:
    """The lines of a log of three files with 5, 5 and 4 records beside the opening and closing ones."""
    clock = Clock()
    with TemporaryDirectory() as name:
        log = audit_log(Path(name), key=key, clock=clock)
        for count in (5, 5, 4):
            for number in range(count):
                log.append(hook_record(request_id=f"r{number}") if number % 2 else feedback_record())
            clock.advance(days=1)
        files = sorted(Path(name).glob("*.jsonl"))
        return tuple((file.name, tuple(file.read_bytes().splitlines(keepends=True))) for file in files)


def copy(key: bytes | None = KEY) -> Lines:
    return [(name, list(lines)) for name, lines in written(key)]


def verify(lines: Lines, *keys: bytes, head: ChainHead | None = None) -> Verification:
    return verify_chain(lines, keys or (KEY,), head)


def head_of(lines: Lines) -> ChainHead:
    found = verify(lines).head
    assert found is not None
    return found


def place(verification: Verification) -> tuple[str, int]:
    assert verification.broken is not None
    return verification.broken.file, verification.broken.line


spots = st.integers(0, 2).flatmap(lambda file: st.tuples(st.just(file), st.integers(0, len(written()[file][1]) - 1)))


def test_untouched_log_is_whole() -> None:
    found = verify(copy())

    assert found.broken is None
    assert found.notes == ()
    assert found.counts == {"opened": 3, "closed": 2, "hook": 6, "feedback": 8}
    assert (found.files, found.algorithm) == (3, "hmac-sha256")


def as_read(data: bytes) -> list[bytes]:
    """Split as a file is read from disk: a changed line feed joins two lines, a new one makes two of one."""
    return re.findall(rb"[^\n]*\n|[^\n]+", data)


@given(spot=spots, at=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255), key=st.sampled_from([KEY, None]))
def test_any_changed_byte_breaks_that_line(spot: Spot, at: float, flip: int, key: bytes | None) -> None:
    lines = copy(key)
    (name, content), number = lines[spot[0]], spot[1]
    line = bytearray(content[number])
    line[int(at * len(line))] ^= flip
    content[number] = bytes(line)
    lines[spot[0]] = name, as_read(b"".join(content))

    assert place(verify_chain(lines, (key,) if key else ())) == (name, number + 1)


@given(spot=spots)
def test_deleted_line_is_named_by_what_stands_in_its_place(spot: Spot) -> None:
    lines = copy()
    name, content = lines[spot[0]]
    sequence = content.pop(spot[1])
    found = verify(lines, head=head_of(copy()))

    expected = (name, spot[1] + 1)
    if spot[1] == len(content):
        # What followed stands in the next file; behind the very last record there is only the head kept outside.
        expected = (lines[spot[0] + 1][0], 1) if spot[0] < 2 else (name, spot[1])
    assert sequence
    assert place(found) == expected


@given(source=spots, target=spots)
def test_inserted_copy_of_a_line_is_named(source: Spot, target: Spot) -> None:
    lines = copy()
    inserted = lines[source[0]][1][source[1]]
    name, content = lines[target[0]]
    is_its_own_copy = content[target[1]] == inserted
    content.insert(target[1], inserted)

    assert place(verify(lines)) == (name, target[1] + 1 + is_its_own_copy)


@given(spot=spots)
def test_line_forged_without_the_key_is_named(spot: Spot) -> None:
    lines = copy()
    name, content = lines[spot[0]]
    read = read_line(content[spot[1]])
    assert read is not None
    forged, _ = bind(encode_payload(hook_record(user="Practitioner/x")), read.sequence, read.link, ChainKey(OTHER_KEY))
    content[spot[1]] = forged

    assert place(verify(lines)) == (name, spot[1] + 1)


@given(spot=spots)
def test_swapped_lines_are_named(spot: Spot) -> None:
    lines = copy()
    name, content = lines[spot[0]]
    first = min(spot[1], len(content) - 2)
    content[first], content[first + 1] = content[first + 1], content[first]

    assert place(verify(lines)) == (name, first + 1)


@given(spot=spots)
def test_truncated_file_is_named_where_the_chain_goes_on(spot: Spot) -> None:
    lines = copy()
    name, content = lines[spot[0]]
    del content[spot[1] :]
    found = verify(lines, head=head_of(copy()))

    if spot[1] == 0:
        assert place(found) == (name, 1)
    elif spot[0] < 2:
        assert place(found) == (lines[spot[0] + 1][0], 1)
    else:
        assert place(found) == (name, spot[1])
        assert verify(lines).broken is None, "without a head from outside the tail is not missed"


@pytest.mark.parametrize(
    ("dropped", "named", "line", "why", "reason"),
    [
        (0, 1, 1, "records 1 to 7 are missing", "no record of the log says that they were removed"),
        (1, 2, 1, "records 8 to 14 are missing", "the numbers in the names tell"),
        (2, 1, 7, "begins with record 15 is missing", "the file before it was closed"),
    ],
)
def test_dropped_file_is_missed(dropped: int, named: int, line: int, why: str, reason: str) -> None:
    lines = copy()
    names = [name for name, _ in lines]
    del lines[dropped]
    found = verify(lines)

    assert place(found) == (names[named], line), reason
    assert found.broken is not None
    assert why in found.broken.why


def test_line_cut_short_at_the_end_is_named() -> None:
    lines = copy()
    lines[2][1].append(b'{"sequence":20,"ki')
    found = verify(lines)

    assert place(found) == (lines[2][0], 6)
    assert found.broken is not None
    assert "cut short" in found.broken.why


@pytest.mark.parametrize(
    ("rename", "reason"),
    [
        ("audit-000000000001-2026-03-08.jsonl", "the day decides about retention"),
        ("audit-000000000002-2026-03-09.jsonl", "the number decides about the order"),
    ],
)
def test_renamed_file_is_named(rename: str, reason: str) -> None:
    lines = copy()
    lines[0] = rename, lines[0][1]

    assert place(verify(lines)) == (rename, 1), reason


@pytest.mark.parametrize(
    ("keys", "why", "reason"),
    [
        ((OTHER_KEY,), "key that is not at hand", "another site's key"),
        ((), "key that is not at hand", "no key configured, although the chain has one"),
    ],
)
def test_keyed_log_without_its_key_is_not_accepted(keys: tuple[bytes, ...], why: str, reason: str) -> None:
    found = verify_chain(copy(), keys)

    assert place(found) == (copy()[0][0], 1), reason
    assert found.broken is not None
    assert why in found.broken.why


@pytest.mark.parametrize("site_key", [KEY, None])
def test_unkeyed_log_where_a_key_is_at_hand_is_not_accepted(site_key: bytes | None) -> None:
    # Someone who rewrites the whole log without knowing the key can only make an unkeyed one.
    found = verify_chain(copy(None), (KEY,), site_key=site_key)

    assert place(found) == (copy()[0][0], 1)
    assert found.broken is not None
    assert ("not chained with the site's key" if site_key else "not chained with a key") in found.broken.why


@pytest.mark.parametrize("keys", [(KEY, OTHER_KEY), (OTHER_KEY, KEY)])
def test_keys_of_no_site_may_be_given_in_any_order(tmp_path: Path, keys: tuple[bytes, ...]) -> None:
    for key in (OTHER_KEY, KEY):
        audit_log(tmp_path, key=key).append(hook_record())

    assert verify_log(tmp_path, keys).broken is None
    found = verify_log(tmp_path, keys, site_key=OTHER_KEY)
    assert place(found) == (files_of(tmp_path)[1].name, 1), "a site has one key, and the newest file bears it"


@pytest.mark.parametrize("change", ["link", "sequence"])
def test_head_kept_outside_that_the_log_does_not_hold_is_named(change: str) -> None:
    lines = copy()
    head = head_of(lines)
    other = head._replace(link="0" * 64) if change == "link" else head._replace(sequence=head.sequence + 2)
    found = verify(lines, head=other)

    assert found.broken is not None
    assert "chain head kept outside" in found.broken.why
    assert place(found) == (lines[2][0], len(lines[2][1]))


def test_head_kept_outside_from_the_middle_is_no_fault() -> None:
    read = read_line(copy()[1][1][3])
    assert read is not None

    assert verify(copy(), head=ChainHead("", read.sequence, read.link)).broken is None


def test_unkeyed_file_after_keyed_ones_is_named_although_the_service_went_on_with_its_key(tmp_path: Path) -> None:
    # Someone without the key rewrites the newest file; the running service begins a keyed file after it.
    clock = Clock()
    log = audit_log(tmp_path, clock=clock)
    clock.advance(days=1)
    log.append(hook_record())
    first, second = files_of(tmp_path)
    lines = second.read_bytes().splitlines(keepends=True)
    closing = read_line(first.read_bytes().splitlines(keepends=True)[-1])
    assert closing is not None
    opened = msgspec.structs.replace(msgspec.json.decode(lines[0], type=OpenedRecord), algorithm="sha256", key_id=None)
    forged, link = bind(encode_payload(opened), closing.sequence + 1, closing.link, ChainKey(None))
    record, _ = bind(encode_payload(hook_record(user="Practitioner/x")), closing.sequence + 2, link, ChainKey(None))
    second.write_bytes(forged + record)
    log.append(hook_record())
    found = verify_log(tmp_path, (KEY,))

    assert len(files_of(tmp_path)) == 3
    assert place(found) == (second.name, 1)
    assert found.broken is not None
    assert "without a key" in found.broken.why
