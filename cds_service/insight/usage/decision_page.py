"""One decision as a document, for a person to read: who, when, from what, what was shown, and what followed."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Final

from cds_service.audit.records import FeedbackRecord, HookRecord
from cds_service.cards.wording import texts_in
from cds_service.clinical.reasons import Reason
from cds_service.reports.content import Column, Document, Listing, Notice, Points, Section, Table
from cds_service.reports.counts import counted, thousands

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

    from cds_service.audit.records import DecisionRecord, ResultEntry, ViewRecord
    from cds_service.audit.verification import Verification
    from cds_service.insight.usage.one_decision import OneDecision

_TEXTS: Final = texts_in("en")
_PRESENTED: Final = {
    "shown": "shown",
    "silent": "kept back: silent mode",
    "snoozed": "kept back: snoozed after an override",
    "none": "no card was made",
    "refused": "refused",
}
# The log writes a time in seconds (ISO 8601).
_DURATION: Final = re.compile(r"PT(\d+)S")
_UNITS_OF_TIME: Final = (("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1))
_READINGS: Final = {"absolute": "counts (10*9/L)", "percent": "shares of leukocytes (%)"}


def decision_page(one: OneDecision, zone: tzinfo, version: str) -> Document:
    """Return the document; times are those of a zone, results stand with the unit that the rule counts in."""
    record = one.record
    what = "hook call" if isinstance(record, HookRecord) else "page of the trend app"
    sections = (
        _rows("call", "Who and when", _call(record, zone)),
        Section(id="decision", title="Decision", blocks=(_pairs("Decision", _decided(one, zone)), *_why(record))),
        _results(record, zone),
        _chart(record),
        _card(one),
        _followed(one, zone),
        _rows("made-by", "Made by", _made_by(one)),
        Section(id="chain", title="Chain", blocks=(_chain(one.chain),)),
    )
    return Document(
        kind="Audit",
        title=f"record {one.sequence}, a {what}",
        lead="One decision as the audit log keeps it.",
        facts=(f"times in {zone}",),
        sections=sections,
        footer=f"Made by sii-cds {version} audit show.",
    )


def in_zone(text: str, zone: tzinfo) -> str:
    """Return a FHIR time with the offset of a zone; a date, a Period, or a time without zone stays as recorded."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return text if moment.tzinfo is None else _moment(moment, zone)


def _moment(moment: datetime, zone: tzinfo) -> str:
    return moment.astimezone(zone).isoformat(" ", "seconds")


def _rows(name: str, title: str, rows: Iterator[tuple[str, str]]) -> Section:
    return Section(id=name, title=title, blocks=(_pairs(title, rows),))


def _pairs(caption: str, rows: Iterator[tuple[str, str]]) -> Table:
    filled = tuple((name, text) for name, text in rows if text)
    return Table(caption=caption, columns=(Column("What"), Column("Recorded")), rows=filled)


def _call(record: HookRecord | ViewRecord, zone: tzinfo) -> Iterator[tuple[str, str]]:
    yield "When", _moment(record.time, zone)
    yield "User", record.user
    yield "Client", record.client
    yield "Patient", record.patient
    yield "Encounter", record.encounter
    yield "Service", record.service
    yield "Request", record.request_id
    if isinstance(record, HookRecord):
        yield "Hook instance", record.hook_instance
        yield "Mode", record.mode


def _decided(one: OneDecision, zone: tzinfo) -> Iterator[tuple[str, str]]:
    record = one.record
    yield "Outcome", record.outcome
    yield one.index, record.sii or ""
    yield "Cut-off", record.cutoff or ""
    yield "Reading", _READINGS.get(record.basis or "", record.basis or "")
    yield "Blood taken", in_zone(record.sample_time, zone) if record.sample_time else ""
    if record.days_from_procedure is not None and record.relation:
        days = counted(record.days_from_procedure, "day")
        yield "In time", f"{days} {record.relation} the latest procedure, {record.latest_procedure}"
    for earlier in record.earlier:
        which = f"Baseline {one.index}" if earlier.baseline else f"Earlier {one.index}"
        yield which, f"{earlier.sii}, blood taken {in_zone(earlier.sample_time, zone)}"
    yield "Not delivered", ", ".join(record.not_delivered)


def _why(record: HookRecord | ViewRecord) -> Iterator[Points]:
    reasons = [f"{code}: {_in_words(code)}" for code in record.reasons]
    reasons += [f"{key}: required data that could not be had" for key in record.missing]
    if not isinstance(record, HookRecord) and record.refused:
        reasons.append(f"{record.refused}: the page was refused")
    if record.refusal:
        reasons.append(f"The newest draw was not used: {record.refusal}, {_in_words(record.refusal)}")
    reasons += [
        f"{counted(count, 'result')} not used: {code}, {_in_words(code)}"
        for code, count in sorted(record.exclusion_counts.items())
    ]
    if reasons:
        yield Points(tuple(reasons))


def _in_words(code: str) -> str:
    """Return the sentence for a reason; a code of another version has none here."""
    try:
        return _TEXTS.reasons[Reason(code)]
    except (ValueError, KeyError):
        return "a reason that this version does not know"


def _results(record: DecisionRecord, zone: tzinfo) -> Section:
    columns = (
        *(Column("Analyte"), Column("Value", numeric=True), Column("Unit")),
        *(Column("Reported", minor=True), Column("Taken"), Column("Code", minor=True), Column("Result")),
    )
    rows = tuple(_result(entry, zone) for entry in (*record.used, *record.newest_draw))
    read = Table(caption="Results read", columns=columns, rows=rows, empty="No result decided.", stacks=True)
    excluded = Table(
        caption="Results not used",
        columns=tuple(map(Column, ("Reason", "Analyte", "Taken", "Result"))),
        rows=tuple(
            (entry.reason, entry.analyte or "–", in_zone(entry.effective, zone) or "–", _name(entry.reference))
            for entry in record.excluded
        ),
    )
    return Section(id="results", title="What was read", blocks=(read, excluded) if record.excluded else (read,))


def _result(entry: ResultEntry, zone: tzinfo) -> tuple[str, ...]:
    kept = entry.value is not None
    version = f", version {entry.version}" if entry.version else ""
    return (
        entry.analyte,
        f"{entry.value:f}" if entry.value is not None else "not kept",
        entry.unit if kept else "–",
        f"{entry.reported_value:f} {entry.reported_unit}" if entry.reported_value is not None else "–",
        in_zone(entry.effective, zone),
        entry.code,
        f"{_name(entry.reference)}{version}",
    )


def _name(reference: str) -> str:
    return reference or "(without id)"


def _chart(record: DecisionRecord) -> Section:
    rows = [("Condition", entry.category, entry.code, "", _name(entry.reference)) for entry in record.conditions]
    rows += [
        ("Procedure", entry.therapy, entry.code, entry.performed or "undated", _name(entry.reference))
        for entry in record.procedures
    ]
    columns = tuple(map(Column, ("What", "Kind", "Code", "Performed", "Resource")))
    caption = "Diagnoses and procedures that counted"
    return Section(
        id="chart", title=caption, blocks=(Table(caption=caption, columns=columns, rows=tuple(rows), stacks=True),)
    )


def _card(one: OneDecision) -> Section:
    record = one.record
    how = _PRESENTED.get(record.how_presented, record.how_presented)
    pairs = _pairs("Card", iter((("Presented", how), ("Card", record.card or ""))))
    if record.card is None or not isinstance(record, HookRecord):
        return Section(id="card", title="Card", blocks=(pairs,))
    if isinstance(one.card, str):
        note = f"The log keeps no card text, and it cannot be made anew: {one.card}."
        return Section(id="card", title="Card", text=note, blocks=(pairs,))
    note = (
        "The log keeps no card text. This one is made anew from what the record keeps, with the texts of this version "
        "and the card settings and language of the configuration now; notes of the laboratory are not kept."
    )
    said = Listing(f"{one.card.summary}\n\n{one.card.detail or ''}")
    return Section(id="card", title="Card", text=note, blocks=(pairs, said))


def _followed(one: OneDecision, zone: tzinfo) -> Section:
    rows = []
    for sequence, record, _ in one.followed:
        if isinstance(record, FeedbackRecord):
            why = _override(record.reason_code) if record.reason_code else ""
            said = "; ".join(filter(None, (why, record.comment)))
            rows.append((str(sequence), _moment(record.outcome_time, zone), record.outcome, record.user or "–", said))
        else:
            rows.append((str(sequence), _moment(record.time, zone), "trend app opened", record.user, ""))
    columns = tuple(map(Column, ("Record", "When", "What", "User", "Why")))
    table = Table(caption="What followed", columns=columns, rows=tuple(rows), empty="No feedback came, no page opened.")
    return Section(id="followed", title="What followed", blocks=(table,))


def _override(code: str) -> str:
    words = {str(known): text for known, text in _TEXTS.override_reasons.items()}.get(code, "")
    return f"{code}: {words}" if words else code


def _made_by(one: OneDecision) -> Iterator[tuple[str, str]]:
    yield "Rule version", one.record.rule_version
    yield "Mapping version", one.record.mapping_version
    yield "Configuration", one.record.configuration
    for name, value in one.limits.items():
        told = ", ".join(map(_limit, value)) if isinstance(value, list) else _limit(value)
        yield name.replace("_", " "), told
    if not one.limits:
        yield "Limits", "the log does not hold those that were in force"


def _limit(value: object) -> str:
    """Return a limit as people say it: yes or no, and a time in the largest unit that leaves no rest."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    duration = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if duration is None:
        return str(value)
    seconds = int(duration[1])
    unit, size = next((unit, size) for unit, size in _UNITS_OF_TIME if seconds % size == 0)
    return counted(seconds // size, unit)


def _chain(chain: Verification) -> Notice:
    if chain.broken is not None:
        broken = chain.broken
        return Notice(f"The log is not whole: {broken.file}:{broken.line}: {broken.why}.", "bad")
    records = thousands(sum(chain.counts.values()))
    return Notice(
        f"Verified: all {records} records of the log are whole, this one among them ({chain.algorithm}).", "fine"
    )
