"""What a server's answers say about it: access, searches, time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from cds_service.insight.doctor.findings import WARNING_SHARE, Finding, Severity
from cds_service.insight.doctor.server.connection import NOT_SENT, OWN_LIMITS
from cds_service.insight.tally import quantile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cds_service.insight.doctor.server.connection import SearchLog
    from cds_service.insight.doctor.server.features import Features

_BLOCKS, _WARNING, _NOTE = Severity.BLOCKS, Severity.WARNING, Severity.NOTE
# Half of the deadline at the 95th percentile leaves nothing for a busy morning.
_SLOW_SHARE: Final = 0.5
# What the service cannot do without, and the type a token must be allowed to search.
_BLOOD_COUNTS: Final = "blood counts"
_REQUIRED: Final = {"Condition": "Condition", "Procedure": "Procedure", _BLOOD_COUNTS: "Observation"}
_SURVEY: Final = "all results"
_OPTIONAL: Final = {"albumin": "Observation", _SURVEY: "Observation"}
# How patients are looked for.
FINDING_SEARCHES: Final = ("find by diagnosis", "find others")
_REFUSALS: Final = frozenset({"status 401", "status 403"})

# What is wrong and what to do, by finding. "{word}" is what the fetcher said.
FEATURES: Final[Mapping[str, tuple[Severity, str, str]]] = {
    "search-patient-ignored": (
        _BLOCKS,
        "Searches for one patient bring resources of other patients.",
        "Have the server's patient parameter mended before anything else; the service drops such results, but "
        "the pages "
        "they fill are lost.",
    ),
    "search-code-ignored": (
        _WARNING,
        "Searches by code bring results of other codes.",
        "Correct, as the service checks every code itself, but slow: have the server's code parameter mended.",
    ),
    "search-code-incomplete": (
        _BLOCKS,
        "A search by many codes at once (code=a,b,c) misses results that a search by category finds.",
        "Have the server support several codes in one search, or have the EHR prefetch bloodCounts and albumin.",
    ),
    "search-sort-refused": (
        _WARNING,
        "A search with _sort=-date is refused with status 400. The service asks once more without it, at the price of "
        "a request for each search, and nobody knows whether the newest results came first.",
        "Have the server support _sort=-date, raise acquisition.max_pages so far that all pages are read, or have the "
        "EHR prefetch.",
    ),
    "search-sort-ignored": (
        _WARNING,
        "Results do not come newest first (_sort=-date is not honored).",
        "Harmless while all pages are read; raise acquisition.max_pages so far that they are.",
    ),
    "search-sort-truncated": (
        _BLOCKS,
        "Results do not come newest first (_sort=-date is not honored), and not all pages are read: the newest may be "
        "missing.",
        "Have the server's _sort mended, raise acquisition.max_pages, or have the EHR prefetch.",
    ),
    "search-truncated": (
        _NOTE,
        "Some patients have more results than the service reads: a limit of its own, no fault of the server.",
        "The newest come first; raise acquisition.max_pages, max_entries and max_response_bytes if older baselines "
        "matter.",
    ),
    "search-total-unmet": (
        _WARNING,
        "Searches tell of more matches (total) than they bring, and link to no further page.",
        "Every card of such a patient says that something is missing. Have the server send all matches or a next link, "
        "count no included resources and no remarks, and leave total out where it only estimates.",
    ),
    "search-count-ignored": (
        _NOTE,
        "The server sends larger pages than asked for (_count is not honored).",
        "Nothing to do, unless answers become larger than acquisition.max_response_bytes.",
    ),
    "paging-missing": (
        _BLOCKS,
        "The first page lacks results and names no next one: what stands behind it cannot be reached.",
        "Have the server send a next link, or have the EHR prefetch.",
    ),
    "paging-incomplete": (
        _BLOCKS,
        "All pages together lack results that one large page holds.",
        "Have the server's paging mended: its pages skip or repeat results.",
    ),
    "paging-loses-patient": (
        _BLOCKS,
        "Further pages bring results of other patients.",
        "Have the server keep the patient in its next links.",
    ),
    "paging-failed": (
        _BLOCKS,
        "A further page cannot be read: {word}.",
        "Next links must lead to the same base address and to an end; see the public address of the server.",
    ),
    "search-date-incomplete": (
        _WARNING,
        "A search by dates (date=ge…&date=le…) loses results of the days asked for.",
        "A baseline before a procedure may be missed in long charts; have the date parameter mended, or prefetch.",
    ),
    "search-date-ignored": (
        _NOTE,
        "A search by dates brings results of other days.",
        "Correct, as the service checks every day itself.",
    ),
    "search-date-failed": (
        _WARNING,
        "A search by dates fails: {word}.",
        "A baseline before a procedure may be missed in long charts; have the date parameter supported, or prefetch.",
    ),
}


@dataclass(slots=True)
class HookTimes:
    """How long hooks without prefetch took, and how long they may."""

    deadline: float
    seconds: list[float] = field(default_factory=list)

    @property
    def late(self) -> int:
        """The number of hooks that did not end in time."""
        return sum(seconds >= self.deadline for seconds in self.seconds)


def judge_server(logs: Mapping[str, SearchLog], features: Features, hooks: HookTimes) -> Iterator[Finding]:
    """Yield findings about the server."""
    if not hooks.seconds:
        yield from _nobody_found(logs)
    for name, resource_type in (_REQUIRED | _OPTIONAL).items():
        if name in logs:
            yield from _failures(name, resource_type, logs[name])
            yield from _own_limits(name, logs[name])
    for identifier, (severity, what, action) in FEATURES.items():
        if features.seen[identifier]:
            what = what.format(word=features.words.get(identifier, ""))
            yield Finding(id=identifier, severity=severity, what=what, action=action)
    yield from _remarks(logs)
    yield from _hook_times(hooks)


def never_answered(logs: Mapping[str, SearchLog]) -> frozenset[str]:
    """Return the types whose searches for patients all failed."""
    return frozenset(
        resource_type
        for name, resource_type in _REQUIRED.items()
        if name in logs and sum(logs[name].failures.values()) == logs[name].sent
    )


def unreachable(base: str, word: str) -> Finding:
    """Say that nothing could be asked."""
    return Finding(
        id="server-unreachable",
        severity=_BLOCKS,
        what=f"{base} cannot be reached: {word}.",
        action="Check address, firewall, acquisition.proxy, and for a certificate error acquisition.ca_file.",
    )


def no_access(sentence: str) -> Finding:
    """Say that no token could be had."""
    return Finding(
        id="token-refused",
        severity=_BLOCKS,
        what=sentence,
        action="Check client id, registered key, scopes, and the clock of this machine.",
    )


def judge_version(version: str) -> Iterator[Finding]:
    """Yield a finding for a FHIR version the service is not made for."""
    if version and not version.startswith(("4.0", "4.3")):
        yield Finding(
            id="fhir-version",
            severity=_BLOCKS,
            what=f"The server speaks FHIR {version}; the service reads R4 (4.0) and R4B (4.3).",
            action="Use the R4 address of the server.",
        )


def _nobody_found(logs: Mapping[str, SearchLog]) -> Iterator[Finding]:
    """Yield why no patient could be found, where the server refused to say."""
    words = {word for name in FINDING_SEARCHES if name in logs for word in logs[name].failures}
    if words:
        yield Finding(
            id="no-patients",
            severity=_BLOCKS,
            what=f"The server lets nobody be found by search: {', '.join(sorted(words))}.",
            action="Check that the address is the FHIR base address. Many EHRs refuse such searches: name patients "
            "with --patient-file.",
        )


def _failures(name: str, resource_type: str, log: SearchLog) -> Iterator[Finding]:
    failures = Counter({word: count for word, count in log.failures.items() if word not in OWN_LIMITS})
    failed = failures.total()
    if not failed or (name == _SURVEY and failed < log.sent):
        # The survey asks again without a category, which some servers do not know.
        return
    refused = sum(failures[word] for word in _REFUSALS)
    answered = Counter({word: count for word, count in failures.items() if word not in NOT_SENT})
    word, _ = (answered or failures).most_common(1)[0]
    severity = _BLOCKS if name in _REQUIRED and failed > WARNING_SHARE * log.sent else _WARNING
    evidence = {"sent": log.sent, "failed": failed}
    if refused * 2 > failed:
        yield Finding(
            id="server-refuses",
            severity=severity,
            what=f"The server refuses the search for {name}: {word}.",
            action=f"Have the token or client allowed to search {resource_type} (scope system/{resource_type}.rs or "
            ".read)"
            if word == "status 403"
            else "The token is not accepted: see that it has not ended, and that it is meant for this server.",
            about=name,
            evidence=evidence,
        )
        return
    yield Finding(
        id="search-failed",
        severity=severity,
        what=f"{failed} of {log.sent} searches for {name} failed, mostly for: {word}.{_not_sent(failures)}",
        action="Local codes cannot be looked for without it: have searches by patient (and category) allowed."
        if name == _SURVEY
        else "Ask the server's operators; a hook whose data do not come is answered 412.",
        about=name,
        evidence=evidence,
    )


def _not_sent(failures: Counter[str]) -> str:
    count = sum(failures[word] for word in NOT_SENT)
    return f" Of these the service did not send {count}, after the failures before." if count else ""


def _own_limits(name: str, log: SearchLog) -> Iterator[Finding]:
    """Yield where the service itself stopped reading; of blood counts `search-truncated` tells it."""
    words = sorted(word for word in log.failures if word in OWN_LIMITS)
    if not words or (name == _BLOOD_COUNTS and not log.too_large):
        return
    stopped = sum(log.failures[word] for word in words)
    decides = name in _REQUIRED
    nothing = f", of {log.too_large} not even the first page" if log.too_large else ""
    severity = _BLOCKS if log.too_large > WARNING_SHARE * log.sent else _WARNING
    yield Finding(
        id="service-limit",
        severity=severity if decides else _NOTE,
        what=f"{stopped} of {log.sent} searches for {name} were not read to their end ({', '.join(words)}){nothing}: a "
        "limit of the service itself, no fault of the server.",
        action="A list that is cut short can leave a patient undecided (truncated). Raise acquisition.max_pages, "
        "max_entries or max_response_bytes if such charts are common."
        if decides
        else "Nothing to do, unless much is missing from this report: then raise acquisition.max_pages, max_entries or "
        "max_response_bytes.",
        about=name,
        evidence={"sent": log.sent, "stopped": stopped},
    )


def _remarks(logs: Mapping[str, SearchLog]) -> Iterator[Finding]:
    """Yield what the server remarks beside its answers, such as parameters it does not know."""
    remarks = {name: log.issues.most_common(3) for name, log in logs.items() if log.issues}
    for name, issues in remarks.items():
        told = ", ".join(issue for issue, _ in issues)
        yield Finding(
            id="search-remarks",
            severity=_NOTE,
            what=f"The server adds remarks to the search for {name}: {told}.",
            action="Look at one answer: not-supported or processing often means a parameter that was ignored.",
            about=name,
        )


def _hook_times(hooks: HookTimes) -> Iterator[Finding]:
    if not hooks.seconds:
        return
    late = hooks.late
    p95 = quantile(Counter(hooks.seconds), 0.95)
    evidence = {"hooks": len(hooks.seconds), "late": late, "p95Seconds": round(p95, 3), "deadline": hooks.deadline}
    if late > WARNING_SHARE * len(hooks.seconds):
        yield Finding(
            id="hook-deadline",
            severity=_BLOCKS,
            what=f"{late} of {len(hooks.seconds)} hooks without prefetch did not end within {hooks.deadline:g} s.",
            action="Have the EHR prefetch, use acquisition.strategy parallel, or raise server.hook_deadline_seconds as "
            "far as the EHR waits.",
            evidence=evidence,
        )
    elif late or p95 > _SLOW_SHARE * hooks.deadline:
        yield Finding(
            id="hook-slow",
            severity=_WARNING,
            what=f"Hooks without prefetch take up to {p95:.1f} s (95 %) of the {hooks.deadline:g} s they have.",
            action="There is little left for busy hours: have the EHR prefetch.",
            evidence=evidence,
        )
