"""Checking a log: every line in its place, every link right, nothing missing. Pure: names and lines in.

The first thing wrong is named by file and line; what follows it is not judged, since nothing proves it any more.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cds_service.audit.bookkeeping import FORMAT, ContinuedRecord, OpenedRecord, RemovedRecord, SealedRecord
from cds_service.audit.chain import GENESIS, ChainHead, ChainKey, is_start_of, read_line
from cds_service.audit.files import file_name, first_sequence
from cds_service.audit.plausible_time import CALLS, RemovalTimes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cds_service.audit.chain import Line

_CUT_SHORT: Final = (
    "the line is cut short; a crash leaves this at the end of a log, and the next start of the service seals it"
)
_Checked = OpenedRecord | SealedRecord | RemovedRecord
_CHECKED_KINDS: Final = frozenset({"opened", "sealed", "removed"})
_DECODER: Final = msgspec.json.Decoder(_Checked)


class Break(NamedTuple):
    """The first thing wrong: where, counted from line 1, and why."""

    file: str
    line: int
    why: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found. `counts` are lines by kind; `notes` are no faults, but an auditor should know them."""

    files: int
    counts: dict[str, int]
    head: ChainHead | None
    algorithm: str
    notes: tuple[str, ...]
    broken: Break | None


def verify_chain(
    files: Iterable[tuple[str, Iterable[bytes]]],
    keys: Sequence[bytes] = (),
    expected_head: ChainHead | None = None,
    *,
    site_key: bytes | None = None,
) -> Verification:
    """Check the lines (with line feeds) of files given in alphabetical order of their names.

    `keys` are all that are at hand, in any order. With one or more, the newest file must be chained with one of them,
    and where the site's key is known, with that; without keys all files must be chained with SHA-256. With a head kept
    outside the log, that record must be there.
    """
    walk = _Walk(keys, site_key, expected_head)
    broken = walk.check(files)
    head = ChainHead(walk.file, walk.sequence, walk.link) if walk.file else None
    algorithm = walk.key.algorithm if walk.key else ""
    return Verification(walk.files, dict(walk.counts), head, algorithm, tuple(walk.notes), broken)


@dataclass
class _Walk:
    """One pass over a log, with what has to be remembered from line to line."""

    keys: Sequence[bytes]
    site_key: bytes | None
    expected: ChainHead | None
    first_file: str = ""
    file: str = ""
    files: int = 0
    line: int = 0
    sequence: int = 0
    link: str = GENESIS
    closed: bool = False
    key: ChainKey | None = None
    # The first of the files that are chained with this key without a change.
    key_since: str = ""
    # What the first file continues, when it is not the beginning; what removals account for, and the files they name.
    before: ContinuedRecord | None = None
    accounted: set[ContinuedRecord] = field(default_factory=set)
    named: set[str] = field(default_factory=set)
    removal_times: RemovalTimes = field(default_factory=RemovalTimes)
    counts: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    def check(self, files: Iterable[tuple[str, Iterable[bytes]]]) -> Break | None:
        """Check all files; return the first thing wrong."""
        for name, lines in files:
            why = self._begin_file(name)
            if why:
                return Break(name, 1, why)
            for number, raw in enumerate(lines, start=1):
                self.line = number
                why = self._check_line(raw)
                if why:
                    return Break(name, number, why)
            if self.line == 0:
                return Break(name, 1, _CUT_SHORT)
        return self._check_beginning() or self._check_end() or self._check_removed_head() or self._check_removals()

    def _begin_file(self, name: str) -> str | None:
        if self.files and first_sequence(name) != self.sequence + 1:
            return self._gap(first_sequence(name))
        self.file, self.files, self.line = name, self.files + 1, 0
        self.first_file = self.first_file or name
        return None

    def _check_line(self, raw: bytes) -> str | None:
        line = read_line(raw)
        if line is None:
            return "this is no line of the log" if raw.endswith(b"\n") else _CUT_SHORT
        if self.line == 1:
            why = self._check_opening(raw, line)
        elif self.closed or line.kind == "opened":
            why = "a line stands outside its file: the file was closed before it, or is opened twice"
        else:
            why = None
        why = why or self._check_place(line)
        if line.kind in CALLS:
            self.removal_times.meet_call(raw)
        return why or self._accept(line, _decode(raw) if line.kind in _CHECKED_KINDS else None)

    def _check_opening(self, raw: bytes, line: Line) -> str | None:
        """Check the first line of a file, and take from it how links are made from here on."""
        opened = _decode(raw)
        if not isinstance(opened, OpenedRecord):
            return "the file does not begin with its opening record"
        if file_name(line.sequence, opened.time) != self.file:
            return "the file does not bear the name of its opening record"
        key = next((key for key in map(ChainKey, self._known_keys()) if key.made(opened)), None)
        if key is None or opened.format > FORMAT:
            return _why_unknown(opened)
        if self.key is not None and self.key.key_id is not None and key.key_id is None:
            return "the file is chained without a key, although the files before it have one"
        if self.key is None or self.key.key_id != key.key_id:
            self.key_since = self.file
        if self.key is not None and self.key.key_id != key.key_id:
            before = f"before with {_describe(self.key)}"
            self.notes.append(f"{self.file}: chained with {_describe(key)} from here on, {before}")
        if self.files == 1 and opened.previous is not None:
            self.before = opened.previous
            self.sequence, self.link = opened.previous.sequence, opened.previous.link
        self.key, self.closed = key, False
        return None

    def _known_keys(self) -> Sequence[bytes | None]:
        return (*self.keys, None)

    def _check_place(self, line: Line) -> str | None:
        if line.sequence != self.sequence + 1:
            return self._gap(line.sequence)
        if self.key is None or self.key.link(self.link, line.body) != line.link:
            return f"record {line.sequence} was changed: its link does not match its content and the record before it"
        return None

    def _gap(self, found: int) -> str:
        if found <= self.sequence:
            return f"record {found} stands where record {self.sequence + 1} belongs"
        return f"{_missing(self.sequence + 1, found - 1)}: record {found} follows record {self.sequence}"

    def _accept(self, line: Line, record: _Checked | None) -> str | None:
        """Go on from a line whose link is right, unless the head kept outside names another one in its place."""
        torn = record.torn if isinstance(record, OpenedRecord | SealedRecord) else b""
        why = self._check_head(line, torn)
        if torn:
            self.notes.append(f"{self.file}:{self.line}: a line cut short by a crash was sealed here")
        if isinstance(record, RemovedRecord):
            self._account(record)
        self.sequence, self.link, self.closed = line.sequence, line.link, line.kind == "closed"
        self.counts[line.kind] += 1
        return why

    def _account(self, record: RemovedRecord) -> None:
        """Take note of a removal. It may be under way still, or was interrupted: files go from the oldest on."""
        self.accounted.add(record.through)
        self.named.update(record.files)
        self.removal_times.meet_removal(record, self.file, self.line)
        left = sum(name >= self.first_file for name in record.files)
        self.notes.append(
            f"{self.file}:{self.line}: files removed after their retention time: {len(record.files)}, "
            f"up to record {record.through.sequence}"
            + (f", of which {left} {'is' if left == 1 else 'are'} not deleted yet" if left else "")
        )

    def _check_head(self, line: Line, torn: bytes) -> str | None:
        if self.expected is None or line.sequence != self.expected.sequence or line.link == self.expected.link:
            return None
        if is_start_of(line.sequence, torn):
            self.notes.append(
                f"{self.file}:{self.line}: record {line.sequence} had been whole, as the chain head kept outside "
                "shows; a crash alone does not cut such a line"
            )
            return None
        return _another_one(line.sequence)

    def _check_beginning(self) -> Break | None:
        if self.before is None or self.before in self.accounted or self.first_file in self.named:
            return None
        why = f"{_missing(1, self.before.sequence)}, and no record of the log says they were removed"
        return Break(self.first_file, 1, why)

    def _check_end(self) -> Break | None:
        expected = self.expected.sequence if self.expected is not None else 0
        if self.closed:
            why = f"the file that begins with record {self.sequence + 1} is missing, unless a crash came before it"
        elif why_not := self._check_newest_key():
            return Break(self.key_since, 1, why_not)
        elif expected > self.sequence:
            why = f"{_missing(self.sequence + 1, expected)}: the chain head kept outside the log names the last of them"
        else:
            return None
        return Break(self.file, self.line, why)

    def _check_removed_head(self) -> Break | None:
        """Look for the head kept outside among what was removed on purpose: only the last record of it is known."""
        expected, before = self.expected, self.before
        if expected is None or before is None or expected.sequence > before.sequence:
            return None
        if expected.sequence < before.sequence:
            why = (
                f"record {expected.sequence}, which the chain head kept outside the log names, was removed after its "
                "retention time, so that head proves nothing any more; give a newer one"
            )
        elif expected.link != before.link:
            why = _another_one(expected.sequence)
        else:
            return None
        return Break(self.first_file, 1, why)

    def _check_removals(self) -> Break | None:
        """Name the first removal that is dated beyond its neighbours; all of them stand in the notes."""
        self.removal_times.end()
        doubtful = self.removal_times.doubtful
        self.notes.extend(f"{one.file}:{one.line}: {one.why}" for one in doubtful[1:])
        return Break(*doubtful[0]) if doubtful else None

    def _check_newest_key(self) -> str | None:
        if self.key is None:
            return None
        if self.site_key is not None and self.key.key_id != ChainKey(self.site_key).key_id:
            return "from here on the log is not chained with the site's key; a new key comes into use at the next start"
        if self.keys and self.key.key_id is None:
            return "from here on the log is not chained with a key, although one was given"
        return None


def _why_unknown(opened: OpenedRecord) -> str:
    if opened.format > FORMAT:
        return f"the file is in record format {opened.format}, which this version does not know; use a later sii-cds"
    return f"the file is chained with a key that is not at hand ({opened.algorithm}, key id {opened.key_id})"


def _another_one(sequence: int) -> str:
    return f"record {sequence} is another one than the chain head kept outside the log names"


def _missing(first: int, last: int) -> str:
    return f"record {first} is missing" if first == last else f"records {first} to {last} are missing"


def _describe(key: ChainKey) -> str:
    return key.algorithm if key.key_id is None else f"{key.algorithm} (key id {key.key_id})"


def _decode(raw: bytes) -> _Checked | None:
    try:
        record: _Checked = _DECODER.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return record
