"""Day after day of the made-up hospital as real audit records, straight into daily tallies."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cds_service.audit.records import ExcludedEntry, FeedbackRecord, HookRecord, ResultEntry
from tests.support.hospital_log.malfunctions import NONE
from tests.support.hospital_log.patients import ANALYTES, admit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.hospital_log.malfunctions import Malfunction
    from tests.support.hospital_log.patients import Draw, Patient

FIRST_DAY: Final = date(2024, 1, 1)  # a Monday
_WEEK: Final = (1.0, 1.05, 1.0, 1.0, 0.9, 0.25, 0.2)
_HOLIDAY: Final = 1 / 36
_CUTOFF: Final = 405.08
_CODES: Final = {
    "central": {"platelets": "777-3", "neutrophils": "751-8", "lymphocytes": "731-0"},
    "outpatient": {"platelets": "26515-7", "neutrophils": "26499-4", "lymphocytes": "26474-7"},
}
_REFUSALS: Final = (
    ("no-primary-liver-cancer", 0.962),
    ("no-interventional-procedure", 0.025),
    ("recurrence-known", 0.009),
    ("under-age", 0.003),
    ("deceased", 0.001),
)
_UNAVAILABLE: Final = (("conditions", 0.0006), ("procedures", 0.0004))
_CHANCE_EXCLUSIONS: Final = (("status-not-accepted", 0.02), ("comparator", 0.004), ("unit-unknown", 0.002))
_FEEDBACK: Final = 0.3
_OVERRIDDEN: Final = 0.55
_OVERRIDE_REASONS: Final = ("already-known", "not-relevant", "residual-disease")
_OPENINGS: Final = 2.5
_STAY_DAYS: Final = 1.8
_LATENCIES: Final = 100


class Repeated(NamedTuple):
    """A record that is written so many times."""

    record: HookRecord | FeedbackRecord
    times: int = 1


class Hospital:
    """A hospital with so many hooks on a Monday, of which a share is about eligible patients."""

    def __init__(
        self,
        hooks: float,
        seed: int,
        malfunction: Malfunction = NONE,
        since: int = 10_000,
        *,
        client: str = "main-ehr",
        eligible: float = 0.04,
    ) -> None:
        """`since` is the day (from 0) on which the malfunction begins."""
        self._random = Random(f"{client} {seed}")  # noqa: S311  a simulation
        self._hooks, self._eligible, self._client = hooks, eligible, client
        self._malfunction, self._since = malfunction, since
        self._patients: list[Patient] = []
        self._admitted = 0
        self._records = 0
        # Patients whose stay began before the first day, and the mix of the first days, settle in a month.
        for day in range(-30, 0):
            self._seen_on(day, self._busyness(day))

    def day(self, day: int) -> Iterator[Repeated]:
        """Yield the records of a day (from 0), in no particular order of time."""
        broken = self._malfunction if day >= self._since else NONE
        busyness = self._busyness(day) * broken.volume
        for patient in self._seen_on(day, busyness):
            openings = 1 + self._count(_OPENINGS - 1)
            record = self._call(patient, day, broken)
            yield from (Repeated(record), *((Repeated(record, openings - 1),) if openings > 1 else ()))
            if record.shown and record.outcome == "above-cutoff":
                yield from self._feedback(record, broken)
        yield from self._others(day, busyness, broken)

    def _busyness(self, day: int) -> float:
        holiday = self._random.random() < _HOLIDAY
        usual = _WEEK[6] if holiday else _WEEK[day % 7]
        return usual * self._random.lognormvariate(0, 0.07)

    def _seen_on(self, day: int, busyness: float) -> list[Patient]:
        """Admit new patients, send home those whose stay is over, and take blood of those who are there."""
        random = self._random
        due = self._hooks * self._eligible * busyness / _OPENINGS / _STAY_DAYS
        for _ in range(self._count(due)):
            self._admitted += 1
            self._patients.append(admit(self._admitted, day, random))
        self._patients = [patient for patient in self._patients if patient.last >= day]
        broken = self._malfunction if day >= self._since else NONE
        for patient in self._patients:
            fresh = random.random() < (0.75 if patient.first == day else 0.5)
            if fresh and not broken.no_new_draws:
                patient.draw(day * 24 + random.uniform(6, 9), random)
        return self._patients if busyness > 0 else []

    def _others(self, day: int, busyness: float, broken: Malfunction) -> Iterator[Repeated]:
        hooks = self._count(self._hooks * (1 - self._eligible) * busyness)
        failing = dict(_UNAVAILABLE)
        if broken.failing is not None and broken.failing[0] != "bloodCounts":
            failing[broken.failing[0]] = broken.failing[1]
        for key, share in failing.items():
            failed = self._binomial(hooks, share)
            hooks -= failed
            if failed:
                yield Repeated(self._record(day, "data-unavailable", missing=(key,), slower=broken.slower), failed)
        left, share_left = hooks, 1.0
        for reason, share in _REFUSALS:
            number = self._binomial(left, min(1.0, share / share_left))
            left, share_left = left - number, share_left - share
            if broken.empty == "conditions":
                reason = "no-primary-liver-cancer"
            # A repeated record repeats its latency: enough different ones keep their spread.
            for part in range(_LATENCIES):
                times = number // _LATENCIES + (part < number % _LATENCIES)
                if times:
                    yield Repeated(self._record(day, "not-eligible", reasons=(reason,), slower=broken.slower), times)

    def _call(self, patient: Patient, day: int, broken: Malfunction) -> HookRecord:
        if broken.failing is not None and self._random.random() < broken.failing[1]:
            return self._record(day, "data-unavailable", patient.id, missing=(broken.failing[0],), slower=broken.slower)
        if broken.empty in ("conditions", "procedures"):
            reason = "no-primary-liver-cancer" if broken.empty == "conditions" else "no-interventional-procedure"
            return self._record(day, "not-eligible", patient.id, reasons=(reason,), slower=broken.slower)
        if broken.empty == "bloodCounts":
            reasons = tuple(f"missing-{name}" for name in ANALYTES)
            return self._record(day, "indeterminate", patient.id, reasons=reasons, slower=broken.slower)
        return self._assess(patient, day, broken)

    def _assess(self, patient: Patient, day: int, broken: Malfunction) -> HookRecord:
        excluded = [
            ExcludedEntry(reference="Observation/x", analyte=self._random.choice((*ANALYTES, "albumin")), reason=reason)
            for reason, share in _CHANCE_EXCLUSIONS
            if self._random.random() < share
        ]
        draws: list[Draw] = []
        missing, newer = set(), set(patient.partial)
        for draw in patient.usable(day * 24 + 12):
            if self._is_refused(draw, broken):
                missing |= set(broken.refused)
                newer |= set() if draws else set(ANALYTES) - set(broken.refused)
                excluded += [
                    ExcludedEntry(reference="Observation/r", analyte=name, reason=broken.refusal)
                    for name in (broken.refused if broken.refusal else ())
                ]
            else:
                draws.append(draw)
        members: dict[str, Any] = {
            "excluded": tuple(excluded),
            "incomplete_draw": tuple(sorted(newer)),
            "slower": broken.slower,
        }
        if patient.trouble:
            return self._record(day, "indeterminate", patient.id, reasons=(patient.trouble,), **members)
        if draws:
            return self._decided(patient, draws[0], day, broken, members)
        if not missing:
            stale = ("stale",) if patient.draws else tuple(f"missing-{name}" for name in ANALYTES)
            return self._record(day, "indeterminate", patient.id, reasons=stale, **members)
        reasons = (*(f"missing-{name}" for name in sorted(missing)), *((broken.refusal,) if broken.refusal else ()))
        return self._record(day, "indeterminate", patient.id, reasons=reasons, **members)

    def _is_refused(self, draw: Draw, broken: Malfunction) -> bool:
        return (
            bool(broken.refused)
            and draw.taken >= self._since * 24
            and broken.laboratory in (None, draw.laboratory)
            and self._random.random() < broken.refused_share
        )

    def _decided(
        self, patient: Patient, draw: Draw, day: int, broken: Malfunction, members: dict[str, Any]
    ) -> HookRecord:
        values = dict(draw.values)
        if draw.taken >= self._since * 24 and broken.laboratory in (None, draw.laboratory):
            if broken.scale is not None:
                values[broken.scale[0]] *= broken.scale[1]
            values["neutrophils"] *= (1 + broken.drift) ** max(0.0, draw.taken / 24 - self._since)
        sii = values["platelets"] * values["neutrophils"] / values["lymphocytes"]
        above = sii > (broken.cutoff or _CUTOFF)
        used = [_result(name, _CODES[draw.laboratory][name], values[name]) for name in ANALYTES]
        if self._random.random() < 0.8:
            used.append(_result("albumin", "1751-7", self._random.gauss(38, 5), "g/L"))
        return self._record(
            day,
            "above-cutoff" if above else "not-above-cutoff",
            patient.id,
            sii=f"{sii:.3f}",
            used=tuple(used),
            sample_time=(_instant(0) + timedelta(hours=draw.taken)).isoformat(),
            card=self._new_card() if above else None,
            shown=above and not broken.silent,
            mode="silent" if broken.silent else "active",
            **members,
        )

    def _feedback(self, call: HookRecord, broken: Malfunction) -> Iterator[Repeated]:
        if self._random.random() >= (_FEEDBACK if broken.feedback is None else broken.feedback):
            return
        overridden = self._random.random() < (broken.overridden or _OVERRIDDEN)
        yield Repeated(
            FeedbackRecord(
                time=call.time,
                request_id="f",
                client=self._client,
                card=call.card or "",
                outcome="overridden" if overridden else "accepted",
                outcome_time=call.time,
                reason_code=self._random.choice(_OVERRIDE_REASONS) if overridden else None,
            )
        )

    def _record(self, day: int, outcome: str, patient: str = "", *, slower: float, **members: Any) -> HookRecord:
        self._records += 1
        latency = slower * self._random.lognormvariate(1.0, 0.4)
        return HookRecord(
            time=_instant(day),
            request_id=f"r{self._records}",
            hook_instance="h",
            client=self._client,
            user="Practitioner/p",
            patient=patient or f"other-{self._records}",
            outcome=outcome,
            rule_version="1.0.0",
            mapping_version="2026-01",
            configuration="0123456789ab",
            timings_ms={"decide": latency},
            **{"mode": "active", **members},
        )

    def _new_card(self) -> str:
        return f"card-{self._records}"

    def _count(self, expected: float) -> int:
        """Draw a Poisson number."""
        return self._binomial(max(1000, int(expected * 1000)), min(1.0, expected / max(1000, int(expected * 1000))))

    def _binomial(self, number: int, share: float) -> int:
        """Draw a binomial number; random.binomialvariate came with Python 3.12."""
        mean = number * share
        if mean > 50 and number - mean > 50:
            return max(0, min(number, round(self._random.gauss(mean, (mean * (1 - share)) ** 0.5))))
        if share > 0.5:
            return number - self._binomial(number, 1 - share)
        drawn, place = 0, 0
        while share > 0:
            place += 1 + int(self._random.expovariate(1) / -_log1p(-share))
            if place > number:
                break
            drawn += 1
        return drawn


def _log1p(value: float) -> float:
    from math import log1p

    return log1p(value)


def _instant(day: int) -> datetime:
    return datetime.combine(FIRST_DAY, datetime.min.time(), UTC) + timedelta(days=day, hours=12)


def _result(analyte: str, code: str, value: float, unit: str = "10*9/L") -> ResultEntry:
    return ResultEntry(
        analyte=analyte,
        reference="Observation/r",
        code=code,
        basis="absolute",
        effective="2026-01-01",
        value=Decimal(f"{value:.3f}"),
        unit=unit,
    )
