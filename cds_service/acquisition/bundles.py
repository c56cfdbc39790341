"""A searchset Bundle to typed resources: all at once where every entry is clean, else entry by entry.

One bad entry costs that entry only. Entries are counted: those beyond the limit are not read. A long Bundle of short
values, which would take many times the memory of a chart, is never decoded at once, and read only as far as a chart of
its length would take memory. An error-level OperationOutcome in the Bundle makes the whole answer a failed
one; a warning beside no matches is how Epic says "no data". A Bundle that is not the result of a search is no answer,
and one that holds fewer matches than its `total` tells is not the whole of it (FHIR R4: Bundle).
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from itertools import islice
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, NamedTuple, TypeVar

import msgspec

from cds_service.acquisition.resources import (
    MOST_PARTS,
    Condition,
    Malformed,
    Observation,
    Patient,
    Procedure,
    Specimen,
    read_specimen,
)
from cds_service.foreign_bytes import mend
from cds_service.undecoded import (
    UNCOUNTED_BYTES,
    USUAL_BYTES,
    TooDeepError,
    decode_uncollected,
    elements,
    is_crowded,
    most_memory,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


# As `acquisition.max_entries` has it by default.
MOST_ENTRIES: Final = 5_000
NOT_READ: Final = b""


class Entries:
    """The entries of a Bundle, `most` of them at most; `is_cut` tells when they are through that there were more.

    Those of a crowded Bundle come one at a time. Together they may take as much memory as a chart of their length: one
    for which too little is left comes as NOT_READ.
    """

    def __init__(self, array: bytes, most: int = MOST_ENTRIES) -> None:
        self._array = array if array != b"null" else b"[]"
        self._most = most
        self.is_cut = False

    def __iter__(self) -> Iterator[bytes]:
        """Yield each entry, undecoded."""
        found = elements(self._array)
        first = islice(found, self._most)
        try:
            yield from self._within_memory(first) if is_crowded(self._array) else first
            self.is_cut = next(found, None) is not None
        except TooDeepError:
            self.is_cut = True

    def _within_memory(self, entries: Iterator[bytes]) -> Iterator[bytes]:
        left = USUAL_BYTES * len(self._array)
        for entry in entries:
            needed = most_memory(entry)
            if needed > left:
                yield NOT_READ
            else:
                left -= needed
                yield entry


class Link(msgspec.Struct, gc=False):
    """FHIR Bundle.link."""

    relation: str | None = None
    url: str | None = None


_LINK = msgspec.json.Decoder(Link)


def read_links(array: bytes) -> list[Link]:
    """Read the first 1,000 links of an array. Raises msgspec.DecodeError for a malformed one."""
    return [_LINK.decode(link) for link in Entries(array, MOST_PARTS)]


def next_url(links: Iterable[Link]) -> str | None:
    """Return the address of the next page; None on the last one."""
    return next((link.url for link in links if link.relation == "next" and link.url), None)


R = TypeVar("R", bound=Observation | Condition | Procedure | Patient)

# Decimal refuses exponents of twenty digits, which JSON allows.
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, InvalidOperation)
# What is no known harmless level is a failure: FHIR R4 issue-severity, and "success" of R5.
_HARMLESS_SEVERITIES = frozenset({"warning", "information", "success"})
# A collection is how exports and test tools put results together; without any type a Bundle is taken for a searchset.
_ANSWERS = frozenset({None, "searchset", "collection"})
_MATCH_MODES = frozenset({None, "match"})


class BundleFailedError(Exception):
    """The value is no usable searchset: wrong resource or Bundle type, unreadable, or an error OperationOutcome."""


_NOBODY: Final[Mapping[str, str]] = MappingProxyType({})
_NO_SPECIMENS: Final[Mapping[str, Specimen]] = MappingProxyType({})


class BundleContent(NamedTuple, Generic[R]):
    """The resources of the wanted type, those that could not be read, and what else matters of the Bundle.

    `patients` maps fullUrl to the id of Patient entries; `next_url` is the link to the next page. `total` is how many
    matches the server tells of, 0 where it does not, and `matches` how many of them were read. `is_cut` tells that
    entries were left out because there were too many. `specimens` are those that came with the results, by
    fullUrl and by Type/id.
    """

    resources: tuple[R, ...] = ()
    malformed: tuple[Malformed, ...] = ()
    patients: Mapping[str, str] = _NOBODY
    next_url: str | None = None
    total: int = 0
    matches: int = 0
    is_cut: bool = False
    specimens: Mapping[str, Specimen] = _NO_SPECIMENS

    @property
    def truncated(self) -> bool:
        """Tell whether there is more than was read: entries, a page that did not come, matches that no page holds."""
        return self.next_url is not None or self.is_cut or self.total > self.matches

    def without_rest(self) -> BundleContent[R]:
        """Return this content as the whole: what follows it is not missed."""
        return self._replace(next_url=None, total=self.matches, is_cut=False)


class _MatchSearch(msgspec.Struct, gc=False):
    """That of a clean entry: a Bundle with any other mode is read entry by entry, which counts them."""

    mode: Literal["match"] | None = None


class _Entry(msgspec.Struct, Generic[R], gc=False):
    resource: R
    search: _MatchSearch | None = None


class _CleanBundle(msgspec.Struct, Generic[R], gc=False):
    resourceType: str  # noqa: N815
    type: str | None = None
    total: int | None = None
    entry: tuple[_Entry[R], ...] = ()
    link: tuple[Link, ...] = ()


class _RawEntry(msgspec.Struct):
    fullUrl: Any = None  # noqa: N815
    resource: msgspec.Raw = msgspec.Raw(b"null")


class _RawBundle(msgspec.Struct):
    resourceType: str  # noqa: N815
    type: str | None = None
    # Read by itself: one that no number holds (1e400) must not make the Bundle unreadable.
    total: msgspec.Raw = msgspec.Raw(b"0")
    entry: msgspec.Raw = msgspec.Raw(b"[]")
    link: msgspec.Raw = msgspec.Raw(b"[]")


class _Head(msgspec.Struct):
    resourceType: str = ""  # noqa: N815
    id: str | None = None


class _Search(msgspec.Struct):
    mode: str | None = None


class _Counted(msgspec.Struct):
    resource: _Head | None = None
    search: _Search | None = None


class _Issue(msgspec.Struct):
    severity: str = "error"


class _Outcome(msgspec.Struct):
    issue: tuple[_Issue, ...] = ()


_RAW_BUNDLE = msgspec.json.Decoder(_RawBundle)
_RAW_ENTRY = msgspec.json.Decoder(_RawEntry)
_HEAD = msgspec.json.Decoder(_Head)
_COUNTED = msgspec.json.Decoder(_Counted)
_TOTAL = msgspec.json.Decoder(int)
_OUTCOME = msgspec.json.Decoder(_Outcome)
_MALFORMED = msgspec.json.Decoder(Malformed)

_RESOURCE = attrgetter("resource")
_TYPE = attrgetter("resourceType")


class BundleReader(Generic[R]):
    """Reads Bundles of one resource type."""

    def __init__(self, resource_class: type[R], resource_type: str | None = None) -> None:
        """Prepare the decoders; `resource_type` is the FHIR type where the class has another name."""
        self._type = resource_type or resource_class.__name__
        self._types = frozenset({self._type})
        self._clean: msgspec.json.Decoder[_CleanBundle[R]] = msgspec.json.Decoder(
            _CleanBundle[resource_class],  # type: ignore[valid-type]
            float_hook=Decimal,
        )
        self._resource = msgspec.json.Decoder(resource_class, float_hook=Decimal)

    def read(self, raw: msgspec.Raw, most: int = MOST_ENTRIES) -> BundleContent[R]:
        """Return the content of a Bundle, `most` entries of it. Raises BundleFailedError when it is none, or failed."""
        if memoryview(raw).nbytes > UNCOUNTED_BYTES and is_crowded(text := bytes(raw)):
            return self._read_entries(mend(text), most)
        try:
            bundle = decode_uncollected(self._clean, raw)
        except _UNREADABLE:
            return self._read_entries(mend(bytes(raw)), most)
        _require_answer(bundle.resourceType, bundle.type)
        resources = tuple(map(_RESOURCE, bundle.entry[:most]))
        if not self._types.issuperset(map(_TYPE, resources)):
            return self._read_entries(bytes(raw), most)
        is_cut = len(bundle.entry) > most
        return BundleContent(
            resources, (), _NOBODY, next_url(bundle.link), bundle.total or 0, len(resources), is_cut=is_cut
        )

    def read_resource(self, text: bytes) -> R | Malformed:
        """Return one resource of the type, as it would be read as the only entry of a Bundle."""
        try:
            return self._resource.decode(text)
        except _UNREADABLE:
            mended = mend(text)
        try:
            head = _HEAD.decode(mended)
        except _UNREADABLE:
            return Malformed()
        return self._read_resource(msgspec.Raw(mended), head)

    def _read_entries(self, text: bytes, most: int) -> BundleContent[R]:
        try:
            bundle = _RAW_BUNDLE.decode(text)
            next_page = next_url(read_links(_array(bundle.link)))
        except _UNREADABLE as error:
            raise BundleFailedError("not a readable Bundle") from error
        _require_answer(bundle.resourceType, bundle.type)
        entries = Entries(_array(bundle.entry), most)
        resources: list[R] = []
        malformed: list[Malformed] = []
        patients: dict[str, str] = {}
        specimens: dict[str, Specimen] = {}
        total, matches = _total(bundle.total), 0
        for raw_entry in entries:
            read = self._read_entry(raw_entry, patients, specimens) if raw_entry is not NOT_READ else Malformed()
            matches += bool(total) and _is_match(raw_entry)
            if isinstance(read, Malformed):
                malformed.append(read)
            elif read is not None:
                resources.append(read)
        return BundleContent(
            tuple(resources),
            tuple(malformed),
            patients,
            next_page,
            total,
            matches,
            entries.is_cut,
            MappingProxyType(specimens),
        )

    def _read_entry(self, raw: bytes, patients: dict[str, str], specimens: dict[str, Specimen]) -> R | Malformed | None:
        try:
            entry = _RAW_ENTRY.decode(raw)
            if bytes(entry.resource) == b"null":
                return None
            head = _HEAD.decode(entry.resource)
        except _UNREADABLE:
            return Malformed()
        if head.resourceType == "OperationOutcome":
            _raise_if_failure(entry.resource)
        elif head.resourceType == "Patient" and isinstance(entry.fullUrl, str) and entry.fullUrl and head.id:
            patients[entry.fullUrl] = head.id
        elif head.resourceType == "Specimen" and self._type == "Observation":
            _keep_specimen(entry, specimens)
        elif head.resourceType == self._type or not head.resourceType:
            # What does not say what it is may be what was asked for.
            return self._read_resource(entry.resource, head)
        return None

    def _read_resource(self, raw: msgspec.Raw, head: _Head) -> R | Malformed:
        try:
            if head.resourceType:
                return self._resource.decode(raw)
        except _UNREADABLE:
            pass
        try:
            return _MALFORMED.decode(raw)
        except _UNREADABLE:
            return Malformed(id=head.id)


def _keep_specimen(entry: _RawEntry, specimens: dict[str, Specimen]) -> None:
    specimen = read_specimen(entry.resource)
    if specimen is None:
        return
    if isinstance(entry.fullUrl, str) and entry.fullUrl:
        specimens[entry.fullUrl] = specimen
    if specimen.id:
        specimens[f"Specimen/{specimen.id}"] = specimen


def _require_answer(resource_type: str, bundle_type: str | None) -> None:
    if resource_type != "Bundle" or bundle_type not in _ANSWERS:
        raise BundleFailedError("not a Bundle, or not the result of a search")


def _array(raw: msgspec.Raw) -> bytes:
    """Return an array or null as bytes. Raises BundleFailedError for anything else."""
    array = bytes(raw)
    if array != b"null" and not array.startswith(b"["):
        raise BundleFailedError("a member of the Bundle is no array")
    return array


def _total(raw: msgspec.Raw) -> int:
    """Return how many matches a search tells of; 0 where it tells none, or no number."""
    try:
        return _TOTAL.decode(raw)
    except _UNREADABLE:
        return 0


def _is_match(raw: bytes) -> bool:
    """Tell whether an entry is one of those that `total` counts: no outcome, nothing included, not empty."""
    try:
        entry = _COUNTED.decode(raw)
    except _UNREADABLE:
        # It came, and is told of as malformed.
        return True
    if entry.resource is None or entry.resource.resourceType == "OperationOutcome":
        return False
    return entry.search is None or entry.search.mode in _MATCH_MODES


def _raise_if_failure(raw: msgspec.Raw) -> None:
    """Raise BundleFailedError for an OperationOutcome of level error, or one whose level cannot be read."""
    try:
        issues = _OUTCOME.decode(raw).issue
    except _UNREADABLE as error:
        raise BundleFailedError("an unreadable OperationOutcome") from error
    if not issues or any(issue.severity not in _HARMLESS_SEVERITIES for issue in issues):
        raise BundleFailedError("an error OperationOutcome")
