"""Tampering: whatever single edit is made to a log, verification names the first line that is not as it was written.

The oracle knows nothing of chains: it compares the edited log with the original, line by line in the order of the
names. `test_verification.py` holds the same for each kind of edit by itself.
"""

from __future__ import annotations

import re

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cds_service.audit.bookkeeping import AnyRecord, ClosedRecord, OpenedRecord, RemovedRecord, SealedRecord
from cds_service.audit.chain import GENESIS, ChainHead, ChainKey, bind, encode_payload, read_line
from cds_service.audit.verification import verify_chain
from tests.unit.audit.edits import (
    KEYS,
    Edit,
    Log,
    Place,
    file_edits,
    line_edits,
    lines_of,
    places,
    rebuilt,
    spots,
    written,
)
from tests.unit.audit.samples import KEY

_DECODER = msgspec.json.Decoder(AnyRecord)


def first_difference(original: Log, edited: Log) -> Place | None:
    """The first line of the edited log that is not the one of the original; None when it only ends earlier."""
    before = places(original)
    for index, place in enumerate(places(edited)):
        if index == len(before) or (place.file, place.line) != (before[index].file, before[index].line):
            return place
    return None


def verify(log: Log, key: bytes | None, head: ChainHead | None = None) -> tuple[tuple[str, int] | None, str]:
    """Where the log is broken, and why."""
    found = verify_chain(((name, lines_of(data)) for name, data in sorted(log.items())), (key,) if key else (), head)
    return ((found.broken.file, found.broken.line), found.broken.why) if found.broken else (None, "")


def head_of(log: Log) -> ChainHead:
    """The newest record."""
    last = places(log)[-1]
    line = read_line(last.line)
    assert line is not None
    return ChainHead(last.file, line.sequence, line.link)


@pytest.mark.parametrize("key", KEYS, ids=["keyed", "unkeyed"])
def test_untouched_log_with_every_kind_of_record_is_whole(key: bytes | None) -> None:
    log = dict(written(key))
    kinds = {type(_DECODER.decode(place.line)) for place in places(log)}

    assert verify(log, key) == (None, "")
    assert {OpenedRecord, ClosedRecord, SealedRecord, RemovedRecord} < kinds


@settings(max_examples=400)
@given(edit=st.one_of(line_edits(), file_edits()), key=st.sampled_from(KEYS))
def test_any_single_edit_is_named_at_the_first_line_that_differs(edit: Edit, key: bytes | None) -> None:
    original = dict(written(key))
    edited = edit(original)
    assume(edited != original)
    difference = first_difference(original, edited)
    broken, why = verify(edited, key)

    if difference is not None:
        # Whether a missing beginning was removed on purpose, only the rest of the log tells: what is wrong there is
        # named before.
        begins_late = min(edited) != min(original) and difference == places(edited)[0]
        assert broken == (difference.file, difference.number) or (begins_late and broken), why
        return
    # The log ends earlier, and whole. Then a closed file tells that another one followed, or the head kept outside;
    # or the record is gone that told why the log does not begin with record 1.
    broken, why = verify(edited, key, head_of(original))
    first, last = places(edited)[0], places(edited)[-1]
    assert broken in {(last.file, last.number), (first.file, first.number)}
    assert "missing" in why


@pytest.mark.parametrize("key", KEYS, ids=["keyed", "unkeyed"])
def test_records_removed_from_the_end_are_found_by_the_kept_head_alone(key: bytes | None) -> None:
    original = dict(written(key))
    lines = places(original)
    unseen = 0
    for kept in range(1, len(lines)):
        remaining, gone = lines[:kept], read_line(lines[kept].line)
        edited = {name: b"".join(place.line for place in remaining if place.file == name) for name in original}
        edited = {name: data for name, data in edited.items() if data}
        assert gone is not None
        if verify(edited, key)[0] is None:
            unseen += 1
            named, why = verify(edited, key, head_of(original))
            assert named == (remaining[-1].file, remaining[-1].number)
            assert re.match(rf"records? {gone.sequence} ", why)

    assert unseen, "this is what cannot be found without a head kept outside"


def forged(log: Log, file: int, line: int, key: ChainKey) -> Log:
    """Change one record and make all links after it anew, as someone does who has no other key than this."""

    def edit(files: list[list[bytes]]) -> None:
        link = beginning(log)
        flat = [(number, index) for number, lines in enumerate(files) for index in range(len(lines))]
        for place in flat:
            old = read_line(files[place[0]][place[1]])
            assert old is not None
            if place < (file, line):
                link = old.link
                continue
            record = _DECODER.decode(files[place[0]][place[1]])
            if isinstance(record, OpenedRecord):
                changes = {"algorithm": key.algorithm, "key_id": key.key_id}
                record = msgspec.structs.replace(record, **changes)
            if place == (file, line):
                record = changed(record)
            files[place[0]][place[1]], link = bind(encode_payload(record), old.sequence, link, key)

    return rebuilt(log, edit)


def beginning(log: Log) -> str:
    """The link that the first line continues."""
    opened = _DECODER.decode(places(log)[0].line)
    assert isinstance(opened, OpenedRecord)
    return opened.previous.link if opened.previous is not None else GENESIS


def changed(record: AnyRecord) -> AnyRecord:
    """The same record with another time: every kind has one."""
    return msgspec.structs.replace(record, time=record.time.replace(microsecond=7))


@given(spot=spots())
def test_attacker_who_recomputes_sha_256_over_a_keyed_log_is_caught(spot: tuple[int, int]) -> None:
    original = dict(written(KEY))
    edited = forged(original, *spot, ChainKey(None))
    difference = first_difference(original, edited)
    assert difference is not None
    broken, why = verify(edited, KEY)

    assert broken == (difference.file, difference.number), why
    if not spot[1]:
        # From the beginning of a file on all is his own, whole in itself, and not made with the site's key.
        assert "without a key" in why or "not chained with a key" in why


@given(spot=spots())
def test_attacker_with_another_key_is_caught_at_once(spot: tuple[int, int]) -> None:
    original = dict(written(KEY))
    edited = forged(original, *spot, ChainKey(b"the attacker's own key, 32 bytes"))
    difference = first_difference(original, edited)
    assert difference is not None

    assert verify(edited, KEY)[0] == (difference.file, difference.number)


@given(spot=spots())
def test_rewritten_unkeyed_log_is_found_by_the_kept_head_alone(spot: tuple[int, int]) -> None:
    # Why a site should have a key: without one, whoever can write all files can make a log that is whole in itself.
    original = dict(written(None))
    edited = forged(original, *spot, ChainKey(None))

    assert verify(edited, None, head_of(original))[0] is not None
    if spot != (0, 0):
        assert verify(edited, None)[0] is None


@given(spot=spots(), key=st.sampled_from(KEYS))
def test_one_forged_record_with_its_own_link_right_is_named_by_the_next(
    spot: tuple[int, int], key: bytes | None
) -> None:
    """Whatever its kind: also the records that the log writes about itself."""
    original = dict(written(key))

    def edit(files: list[list[bytes]]) -> None:
        read = [read_line(line) for lines in files for line in lines]
        before = [beginning(original), *(line.link for line in read if line is not None)]
        index = sum(len(lines) for lines in files[: spot[0]]) + spot[1]
        old = read_line(files[spot[0]][spot[1]])
        assert old is not None
        record = changed(_DECODER.decode(files[spot[0]][spot[1]]))
        files[spot[0]][spot[1]], _ = bind(encode_payload(record), old.sequence, before[index], ChainKey(None))

    edited = rebuilt(original, edit)
    lines = places(edited)
    difference = first_difference(original, edited)
    assert difference is not None
    at = lines.index(difference)
    following = lines[min(at + 1, len(lines) - 1)]
    broken, _ = verify(edited, key, head_of(original))

    expected = difference if key or at + 1 == len(lines) else following
    assert broken in {(expected.file, expected.number), (difference.file, difference.number)}
