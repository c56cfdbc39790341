"""Laboratory data of other makers through the whole decision; expectations were worked out from the files by hand."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cds_service.cards.extension import assessment_extension
from cds_service.clinical.evidence import RULE_VERSION
from cds_service.errors import DataUnavailableError
from tests.support.charts import Json, bundle, condition, procedure
from tests.unit.normalization.reading import decided

if TYPE_CHECKING:
    from collections.abc import Callable

SAMPLES = Path(__file__).parents[1] / "fixtures" / "samples"
AU_PATIENT = "85822a88-55b1-460c-bb7b-e8fc22d8568f"


@dataclass(frozen=True)
class Sample:
    """A sample, its patient, the day of the procedure that is added, the day of the hook, and what must come of it."""

    file: str
    patient: str
    procedure: str
    today: str
    why: str
    outcome: str = "indeterminate"
    reasons: tuple[str, ...] = ()
    exclusions: Json = field(default_factory=dict)
    decision: Json = field(default_factory=dict)
    change: Callable[[Json], Json] = lambda chart: chart

    def __str__(self) -> str:
        """Name the row in the test report."""
        return f"{self.file}: {self.why}"


def read(file: str) -> Json:
    """Read a sample as one Bundle: single resources and NDJSON are put into one."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(SAMPLES.glob(file))]
    if file.endswith(".ndjson"):
        texts = [line for text in texts for line in text.splitlines()]
    resources: list[Json] = [json.loads(text) for text in texts]
    assert resources, f"{file} is not there"
    return resources[0] if resources[0]["resourceType"] == "Bundle" else bundle(*resources)


def first_report(chart: Json) -> Json:
    """Take the Bundle inside the Bundle."""
    return dict(chart["entry"][0]["resource"])


def taken_at(moment: str) -> Callable[[Json], Json]:
    """Give every Observation the time that the original's report tells for all of them."""

    def change(chart: Json) -> Json:
        for entry in chart["entry"]:
            entry["resource"]["effectiveDateTime"] = moment
        return chart

    return change


def patient_with_id(chart: Json) -> Json:
    """Give the Patient of the Australian document the id that it lacks."""
    chart["entry"][0]["resource"]["id"] = AU_PATIENT
    return chart


NO_NEUTROPHILS, NO_LYMPHOCYTES, NO_PLATELETS = "missing-neutrophils", "missing-lymphocytes", "missing-platelets"
NOTHING = (NO_NEUTROPHILS, NO_LYMPHOCYTES, NO_PLATELETS)

ROWS = [
    Sample(
        *("us-core-cbc-*.json", "example", "2005-06-01", "2005-09-01"),
        "platelets 200 on 2005-07-05, no differential; leukocytes and hemoglobin are not asked for",
        reasons=(NO_NEUTROPHILS, NO_LYMPHOCYTES),
    ),
    Sample(
        *("be-lab-two-reports.json", "7168528", "2021-09-20", "2021-12-01"),
        "two Bundles in a Bundle: results are not looked for inside another Bundle",
        reasons=NOTHING,
    ),
    Sample(
        *("be-lab-two-reports.json", "7168528", "2021-09-20", "2021-12-01"),
        "151 x 1.791 / 1.295: 1791 and 1295 per uL beside 151 10*3/uL; 47 % and 34 % agree (1.383 and 1.382)",
        outcome="not-above-cutoff",
        decision={
            "sii": "208.835",
            "basis": "absolute",
            "sampleTime": "2021-11-04T00:00:00+01:00",
            "relation": "after",
            "daysFromProcedure": 45,
        },
        change=first_report,
    ),
    Sample(
        *("be-lab-molis-1a.json", "c33e6aca-ad7a-494c-bcec-c917850655d5", "2023-05-20", "2023-09-01"),
        "the results tell no time of their own; the report does, and is another resource",
        reasons=(*NOTHING, "no-effective-time"),
        exclusions={"no-effective-time": 5},
    ),
    Sample(
        *("be-lab-molis-1a.json", "c33e6aca-ad7a-494c-bcec-c917850655d5", "2023-05-20", "2023-09-01"),
        "with the report's time: counts 0.6 / 2.5 beside 68.1 % / 12.8 % contradict each other",
        reasons=("differential-inconsistent",),
        change=taken_at("2023-07-12T14:54:00+02:00"),
    ),
    Sample(
        *("r4-diagnostic-report.json", "pat2", "2011-01-10", "2011-04-01"),
        "the results tell no time of their own",
        reasons=(*NOTHING, "no-effective-time"),
        exclusions={"no-effective-time": 5},
    ),
    Sample(
        *("r4-diagnostic-report.json", "pat2", "2011-01-10", "2011-04-01"),
        "with the report's time: 444 x 0.9 / 0.9, text x10*9/L beside the code 10*9/L; 20 % and 20 % agree",
        outcome="above-cutoff",
        decision={
            "sii": "444",
            "basis": "absolute",
            "sampleTime": "2011-03-03T22:30:00+01:00",
            "relation": "after",
            "daysFromProcedure": 52,
        },
        change=taken_at("2011-03-04T08:30:00+11:00"),
    ),
    Sample(
        *("au-referral.json", AU_PATIENT, "2024-04-20", "2024-07-01"),
        "platelets of urn:uuid, whose Patient entry has no id: nobody can tell that it is this patient",
        reasons=(*NOTHING, "subject-mismatch"),
        exclusions={"subject-mismatch": 1},
    ),
    Sample(
        *("au-referral.json", AU_PATIENT, "2024-04-20", "2024-07-01"),
        "with the id: platelets 250 under the code 10*9/L without a unit text, and no differential",
        reasons=(NO_NEUTROPHILS, NO_LYMPHOCYTES),
        change=patient_with_id,
    ),
    Sample(
        *("converter-oru.json", "bab5ca58-f272-4c06-4b3f-f9661e45a22b", "2014-08-20", "2014-11-01"),
        "72 % and 20 % are preliminary; the platelets stand under the code of their morphology",
        reasons=(*NOTHING, "status-not-accepted"),
        exclusions={"status-not-accepted": 2},
    ),
    Sample(
        *("converter-lri-cbc.json", "397de93b-65e0-b3b6-7a79-d7869d57a8aa", "2010-11-20", "2011-02-01"),
        "210 x 58 / 41.2: 210000 {cells}/uL beside 58 and 41.2 10*3/uL; 55 % and 39 % agree (1.408 and 1.410)",
        outcome="not-above-cutoff",
        decision={
            "sii": "295.631",
            "basis": "absolute",
            "sampleTime": "2011-01-03T23:34:28+01:00",
            "relation": "after",
            "daysFromProcedure": 44,
        },
    ),
    Sample(
        *("smart-jordan-r4.json", "3afaeb2a-9f18-40b5-8fe7-dfd882de2f2b", "2017-05-01", "2017-08-01"),
        "platelets 189.6 K/uL of urn:uuid, resolved in the Bundle; no differential in six years",
        reasons=(NO_NEUTROPHILS, NO_LYMPHOCYTES),
    ),
    Sample(
        *("smart-1137192-stu3.json", "smart-1137192", "2007-10-20", "2008-01-15"),
        "STU3: albumin with the status unknown, no blood count",
        reasons=NOTHING,
        exclusions={"status-not-accepted": 1},
    ),
    Sample(
        *("synthea-agatha.ndjson", "030a81c6-fbbc-4265-a70a-0fd5ea5da6ac", "2000-08-01", "2000-11-15"),
        "platelets over sixty years, no differential; the patient's death lies ahead",
        reasons=(NO_NEUTROPHILS, NO_LYMPHOCYTES),
    ),
    Sample(
        *("synthea-agatha.ndjson", "030a81c6-fbbc-4265-a70a-0fd5ea5da6ac", "2000-08-01", "2001-06-01"),
        "the patient died on 2001-05-20",
        outcome="not-eligible",
        reasons=("deceased",),
    ),
]


def patient_of(chart: Json, patient_id: str) -> Json | None:
    """Return the Patient of the sample, where it has one with an id."""
    resources = (entry["resource"] for entry in chart["entry"])
    found = (r for r in resources if r["resourceType"] == "Patient" and r.get("id") == patient_id)
    return next(found, None)


def as_answer(chart: Json) -> Json:
    """Turn a document, batch or transaction into what a search would bring: its entries as they are."""
    return chart if chart["type"] == "collection" else chart | {"type": "searchset"}


def hook(sample: Sample) -> Json:
    """Build the hook request: the resources of the sample for the blood counts, and an eligible patient."""
    chart = sample.change(read(sample.file))
    subject = {"reference": f"Patient/{sample.patient}"}
    return {
        "hook": "patient-view",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/1", "patientId": sample.patient},
        "prefetch": {
            "patient": patient_of(chart, sample.patient),
            "bloodCounts": as_answer(chart),
            "albumin": None,
            "conditions": bundle(condition(subject=subject, onsetDateTime="2000-01-01")),
            "procedures": bundle(procedure(subject=subject, when=sample.procedure)),
        },
    }


@pytest.mark.parametrize("sample", ROWS, ids=str)
def test_sample_is_decided_as_worked_out_by_hand(sample: Sample) -> None:
    now = datetime.fromisoformat(f"{sample.today}T10:00:00").replace(tzinfo=UTC)
    told = assessment_extension(RULE_VERSION, decided(hook(sample), now).assessment)

    assert told["outcome"] == sample.outcome
    assert tuple(told.get("reasons", ())) == sample.reasons
    assert told.get("exclusions", {}) == sample.exclusions
    assert decision_of(told) == decision_of(sample.decision)


def decision_of(told: Json) -> dict[str, Any]:
    names = ("basis", "sampleTime", "relation", "daysFromProcedure")
    sii = {"sii": Decimal(told["sii"])} if "sii" in told else {}
    return sii | {name: told[name] for name in names if name in told}


@pytest.mark.parametrize("sample", ROWS, ids=str)
def test_sample_that_answers_no_search_is_a_failed_key(sample: Sample) -> None:
    chart = sample.change(read(sample.file))
    request = hook(sample)
    request["prefetch"]["bloodCounts"] = chart
    request["prefetch"]["patient"] = None
    if chart["type"] in ("searchset", "collection"):
        decided(request, datetime.fromisoformat(f"{sample.today}T10:00:00").replace(tzinfo=UTC))
    else:
        with pytest.raises(DataUnavailableError):
            decided(request, datetime.fromisoformat(f"{sample.today}T10:00:00").replace(tzinfo=UTC))


def test_every_sample_is_decided_at_least_once() -> None:
    used = {path.name for row in ROWS for path in SAMPLES.glob(row.file)}

    assert used == {path.name for path in SAMPLES.glob("*json")}
