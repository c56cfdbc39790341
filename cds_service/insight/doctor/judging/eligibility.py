"""Diagnoses and procedures: whether any counts, which are near misses, and which stand under unknown codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cds_service.clinical.reasons import Reason
from cds_service.insight.doctor.editions import EXCLUDING
from cds_service.insight.doctor.eligibility_survey import CANCER, COUNTS
from cds_service.insight.doctor.findings import Finding, Severity, by_share

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cds_service.insight.doctor.eligibility_survey import ConceptTally
    from cds_service.insight.doctor.judging.case import Case
    from cds_service.insight.doctor.lookalikes import Kind

_KINDS: Final[tuple[tuple[Kind, str, str], ...]] = (
    ("condition", "diagnosis", "primary liver cancer"),
    ("procedure", "procedure", "an interventional procedure"),
)
_STATUS_ACTIONS: Final = {
    "condition": "Only confirmed diagnoses, or ones without a verification status, count; see whether these are meant.",
    "procedure": "Only completed procedures count; see whether the EHR ever sets that status.",
}


def judge_eligibility(case: Case) -> Iterator[Finding]:
    """Yield findings about what makes patients eligible; nothing where the EHR is trusted to ask for the right ones."""
    if not case.evidence.site.policy.eligibility_required:
        return
    for kind, noun, wanted in _KINDS:
        rows = case.evidence.eligibility.of_kind(kind)
        counts = any(_counts(row) for row in rows)
        if not counts and kind.capitalize() not in case.evidence.unanswered:
            open_rows = any(not row.is_known and not row.refusal for row in rows)
            yield _none_counts(case, kind, noun, wanted, is_suspected=open_rows)
        yield from (judge_unread_diagnoses if kind == "condition" else judge_unread_procedures)(case, counts)
        for row in rows:
            yield from _refused(case, row, noun)
            yield from _excluded(case, row, noun)


def _counts(row: ConceptTally) -> bool:
    return bool(row.treatments[COUNTS]) and (row.key.kind == "procedure" or row.meaning in CANCER)


def _none_counts(case: Case, kind: Kind, noun: str, wanted: str, *, is_suspected: bool) -> Finding:
    seen = case.evidence.eligibility.resources[kind]
    return Finding(
        id=f"no-qualifying-{noun}",
        severity=Severity.BLOCKS,
        what=f"No {kind.capitalize()} says that a patient has {wanted} ({case.mask.words(seen, 'entry')} seen), so "
        "no patient is eligible.",
        action=f"Mend what {noun}-code-unknown names first."
        if is_suspected
        else "Examine patients who are known to have it (--patient-file). If they have none either, add the codes the "
        "EHR uses to a site overlay.",
        evidence={"seen": case.mask.count(seen)},
    )


def _refused(case: Case, row: ConceptTally, noun: str) -> Iterator[Finding]:
    """Yield a code that the tables know and do not count."""
    if not row.refusal:
        return
    about = f"{row.key.system}|{row.key.code}"
    name = row.shown_name(case.mask.below)
    yield Finding(
        id=f"{noun}-left-out" if row.left_out else f"{noun}-refused",
        severity=Severity.NOTE,
        what=f"{about}{f' ({name})' if name else ''} does not count: {row.refusal} "
        f"({case.mask.words(row.resources, 'entry')}).",
        action="Right as it is, unless the clinical owner decides otherwise in a site overlay."
        if row.left_out
        else "Right as it is.",
        about=about,
        evidence={"entries": case.mask.count(row.resources)},
    )


def _excluded(case: Case, row: ConceptTally, noun: str) -> Iterator[Finding]:
    """Yield why entries of a known code do not count."""
    if not row.is_known or (row.key.kind == "condition" and row.meaning not in CANCER):
        return
    about = f"{row.key.system}|{row.key.code}"
    refused = row.treatments[Reason.STATUS_NOT_ACCEPTED]
    severity = by_share(refused, row.resources, most=Severity.WARNING)
    if severity is not None:
        yield Finding(
            id=f"{noun}-status",
            severity=severity,
            what=f"Not counted for their status: {case.mask.words(refused, 'entry')} of {about}, "
            f"of {case.mask.count(row.resources)} in all.",
            action=_STATUS_ACTIONS[row.key.kind],
            about=about,
            evidence={"entries": case.mask.count(refused), "of": case.mask.count(row.resources)},
        )
    severity = by_share(row.undated, row.resources, most=Severity.WARNING)
    if severity is not None:
        yield Finding(
            id="procedure-undated",
            severity=severity,
            what=f"{case.mask.words(row.undated, 'entry')} of {about} carry no date. A patient whose procedures are "
            "all undated "
            "is indeterminate.",
            action="Have the EHR send performedDateTime or performedPeriod.",
            about=about,
            evidence={"entries": case.mask.count(row.undated), "of": case.mask.count(row.resources)},
        )


# Of codes in one sentence; the tables hold all.
_MOST_TOLD: Final = 8
_SPEAK_TO_OWNER: Final = "Let the clinical owner decide, and add the code to a site overlay."
_SPEAK_TO_OWNER_FIRST: Final = (
    "Let the clinical owner decide. The proposed overlay holds the row: to paste where the name tells all that it "
    "needs, as a comment otherwise."
)
_NO_SYSTEM: Final = "Have the EHR send a code with the URI of its system; text alone never counts."


# What keeps a patient from getting a card, by the names of EXCLUDING.
_EXCLUSIONS: Final = {
    "metastasis": "metastases outside of the liver",
    "recurrence": "a recurrence, a secondary tumor or a transplant",
}


def judge_unread_diagnoses(case: Case, counts: bool) -> Iterator[Finding]:
    """Yield diagnoses that may count or exclude and are not read. `counts`: others are read and count."""
    by_system: dict[str, list[ConceptTally]] = {}
    for row in case.evidence.eligibility.of_kind("condition"):
        if row.edition is not None:
            by_system.setdefault(row.key.system, []).append(row)
        elif not row.is_known and not row.refusal:
            yield _sounds_right(case, row, "diagnosis", counts)
    for system, rows in by_system.items():
        cancers = [row for row in rows if row.edition is not None and row.edition.category in CANCER]
        if cancers:
            yield _diagnosis(case, system, cancers, counts)
        for what in _EXCLUSIONS:
            found = [row for row in rows if row.edition is not None and EXCLUDING.get(row.edition.category) == what]
            if found:
                yield _exclusion(case, system, what, found)


def judge_unread_procedures(case: Case, counts: bool) -> Iterator[Finding]:
    """Yield procedures that sound right, and where none counts, those of diagnosed patients that may be it."""
    for row in case.evidence.eligibility.of_kind("procedure"):
        if not row.is_known and not row.refusal:
            yield _sounds_right(case, row, "procedure", counts)
    unread = [row for row in case.evidence.eligibility.other_procedures() if row.key.code and not row.refusal]
    if counts or not unread:
        return
    yield Finding(
        id="procedure-codes-unread",
        severity=Severity.WARNING,
        what=f"Patients with a diagnosis have procedures under codes that are not read and do not tell by a name what "
        f"they are: {_told(unread)}.",
        action="Have the clinical owner look through them: the interventional procedure may be among them. The table "
        "lists all, the proposed overlay holds those without a name, and those that sound like operations, as "
        "comments.",
        evidence={"codes": [_about(row) for row in unread]},
    )


def _sounds_right(case: Case, row: ConceptTally, noun: str, counts: bool) -> Finding:
    name = row.shown_name(case.mask.below)
    about = _about(row) if row.key.code else name or "text only"
    shown = f"{about} ({name})" if name and row.key.code else about
    return Finding(
        id=f"{noun}-code-unknown",
        severity=Severity.WARNING if counts else Severity.BLOCKS,
        what=f"{shown} sounds like a {noun} that should count, and is not known "
        f"({case.mask.words(row.resources, 'entry')}).",
        action=_SPEAK_TO_OWNER_FIRST if row.key.code and ":" in row.key.system else _NO_SYSTEM,
        about=about,
        evidence={"entries": case.mask.count(row.resources)},
    )


def _diagnosis(case: Case, system: str, rows: list[ConceptTally], counts: bool) -> Finding:
    entries = sum(row.resources for row in rows)
    return Finding(
        id="diagnosis-code-unknown",
        severity=Severity.WARNING if counts else Severity.BLOCKS,
        what=f"{case.mask.words(entries, 'entry')} under {system or 'no system'} are primary liver cancer, read as "
        f"{_parent(rows)} ({_told(rows, case)}), and the system is not known.",
        action=_edition_action(rows),
        about=_about(rows[0]) if len(rows) == 1 else system,
        evidence={"entries": case.mask.count(entries), "codes": [row.key.code for row in rows]},
    )


def _exclusion(case: Case, system: str, what: str, rows: list[ConceptTally]) -> Finding:
    entries = sum(row.resources for row in rows)
    seen = case.evidence.eligibility.excluding[system, what]
    patients = case.mask.words(len(seen), "patient") + (" or more" if seen.is_full else "")
    return Finding(
        id=f"{what}-code-unknown",
        severity=Severity.BLOCKS,
        what=f"{case.mask.words(entries, 'entry')} under {system or 'no system'} are {_EXCLUSIONS[what]}, read as "
        f"{_parent(rows)} ({_told(rows, case)}), of {patients}. They are not read, so these patients could get a card "
        "that is not meant for them.",
        action=_edition_action(rows),
        about=system,
        evidence={
            "entries": case.mask.count(entries),
            "patients": case.mask.count(len(seen)),
            "codes": [row.key.code for row in rows],
        },
    )


def _edition_action(rows: list[ConceptTally]) -> str:
    reading = rows[0].edition
    if reading is None or not reading.is_edition:
        return _SPEAK_TO_OWNER if ":" in rows[0].key.system else _NO_SYSTEM
    return (
        f"Have the clinical owner confirm that the system is an edition of {reading.parent}, and add the row of the "
        "proposed overlay: diagnoses, metastases and recurrences come with it."
    )


def _parent(rows: list[ConceptTally]) -> str:
    return rows[0].edition.parent.upper() if rows[0].edition is not None else ""


def _told(rows: list[ConceptTally], case: Case | None = None) -> str:
    told = []
    for row in rows[:_MOST_TOLD]:
        name = row.shown_name(case.mask.below) if case is not None else ""
        told.append(f"{row.key.code} {name}".strip() if case is not None else _about(row))
    rest = len(rows) - len(told)
    return ", ".join(told) + (f" and {rest} more" if rest else "")


def _about(row: ConceptTally) -> str:
    return f"{row.key.system}|{row.key.code}"
