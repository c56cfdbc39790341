"""An explanation as text for a terminal."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from cds_service.cards import numbers
from cds_service.cards.wording import texts_in
from cds_service.clinical.reasons import Reason
from cds_service.reports.counts import counted
from cds_service.reports.printable import printable
from cds_service.reports.text_table import table_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

# A draw or a result is one line, however wide the terminal.
_WIDTH: Final = 400


def as_text(explanation: dict[str, Any]) -> str:
    """Lay an explanation out in sections: outcome first, then eligibility, draws, Observations, cross-check."""
    sections = [
        _outcome(explanation["assessment"]),
        _eligibility(explanation["eligibility"]),
        _draws(explanation["draws"]),
        _observations(explanation["observations"]),
        _cross_check(explanation["crossCheck"]),
        "Versions: " + ", ".join(f"{name} {version}" for name, version in explanation["versions"].items()),
    ]
    return "\n\n".join(section for section in sections if section)


def _outcome(assessment: dict[str, Any]) -> str:
    lines = [f"Outcome: {assessment['outcome']}"]
    if "sii" in assessment:
        sii = numbers.sii(Decimal(assessment["sii"]), Decimal(assessment["cutoff"]))
        lines.append(f"SII {sii}, cut-off {assessment['cutoff']}, basis {assessment['basis']}")
        lines.append(f"Blood taken {assessment['sampleTime']}{_distance(assessment)}")
    lines += [f"  {reason}: {_sentence(reason)}" for reason in assessment.get("reasons", ())]
    if assessment.get("exclusions"):
        counts = ", ".join(f"{count} {reason}" for reason, count in assessment["exclusions"].items())
        lines.append(f"Observations not used: {counts}")
    if assessment.get("notDelivered"):
        lines.append(f"Not delivered, or not completely: {', '.join(assessment['notDelivered'])}")
    return "\n".join(lines)


def _distance(assessment: dict[str, Any]) -> str:
    if "relation" not in assessment:
        return ""
    return f", {counted(assessment['daysFromProcedure'], 'day')} {assessment['relation']} the latest procedure"


def _eligibility(eligibility: dict[str, Any]) -> str:
    reason = eligibility["reason"]
    lines = ["Eligible: yes" if reason is None else f"Eligible: no, {reason}. {_sentence(reason)}"]
    if not eligibility["patientChecked"]:
        lines.append("  Patient not delivered, or not readable: age or death was not checked")
    lines += [_fact(row, row.get("category", "")) for row in eligibility["conditions"]]
    lines += [_fact(row, _therapy(row)) for row in eligibility["procedures"]]
    return "\n".join(lines)


def _fact(row: dict[str, Any], what: str) -> str:
    named = " ".join(part for part in (_name(row), printable(row["code"]), what) if part)
    return f"  {named}: {_treatment(row)}"


def _therapy(row: dict[str, Any]) -> str:
    """Name a procedure and its date as recorded, a Period by both its limits."""
    performed = (row.get("performed") or "undated").replace("/", " to ")
    return f"{row['therapy']} {performed}" if "therapy" in row else ""


def _draws(draws: Sequence[dict[str, Any]]) -> str:
    if not draws:
        return ""
    rows = [
        (
            draw["taken"],
            draw["basis"],
            f"{counted(draw['days'], 'day')} {draw['relation']}" if draw["relation"] else "no dated procedure",
            "decides" if draw["decides"] else ", ".join((draw["refusal"] or "usable", *draw["problems"])),
        )
        for draw in draws
    ]
    return "Complete blood draws, newest first\n" + _columns(rows)


def _observations(observations: Sequence[dict[str, Any]]) -> str:
    if not observations:
        return "Observations: not looked at, or none delivered"
    rows = [
        (
            _name(row),
            row.get("analyte") or row["code"],
            row.get("reported", ""),
            row.get("canonical", ""),
            row.get("taken") or "",
            _treatment(row),
        )
        for row in observations
    ]
    return "Observations\n" + _columns(rows)


def _cross_check(rows: Sequence[dict[str, Any]]) -> str:
    if not rows:
        return ""
    lines = [f"  {_name(row)}: {printable('; '.join(row['objections'])) or 'no objection'}" for row in rows]
    return "Strict FHIR R4B reading of the Observations used\n" + "\n".join(lines)


def _columns(rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(table_lines((), rows, _WIDTH))


def _name(row: dict[str, Any]) -> str:
    return printable(row["reference"] or "(without id)")


def _treatment(row: dict[str, Any]) -> str:
    treatment = f"excluded, {row['reason']}" if row.get("reason") else str(row["treatment"])
    return f"{treatment} ({row['note']})" if "note" in row else treatment


def _sentence(reason: str) -> str:
    return texts_in("en").reasons[Reason(reason)]
