"""A hospital of made-up patients for doctor: clean as built, so that every problem in it was planted by a test.

Each patient is eligible (hepatocellular carcinoma, ablation 90 days ago) and has one complete draw 40 days ago, with
values that vary from patient to patient around those of the study.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.support.charts import (
    ALBUMIN,
    LYMPHOCYTES,
    NEUTROPHILS,
    PLATELETS,
    condition,
    days_ago,
    observation,
    patient,
    procedure,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from tests.support.charts import Json

    Change = Callable[[Json], Json | None]

# Displays as LOINC has them, which doctor shows and the service never reads.
NAMES = {
    NEUTROPHILS: "Neutrophils [#/volume] in Blood by Automated count",
    LYMPHOCYTES: "Lymphocytes [#/volume] in Blood by Automated count",
    PLATELETS: "Platelets [#/volume] in Blood by Automated count",
    ALBUMIN: "Albumin [Mass/volume] in Serum or Plasma",
}


@dataclass
class Hospital:
    """Resources by patient."""

    patients: dict[str, list[Json]] = field(default_factory=dict)

    def change(self, what: Change, *, every: int = 1) -> Hospital:
        """Put every resource of every n-th patient through a change; None takes it out."""
        for number, (identifier, resources) in enumerate(self.patients.items()):
            if number % every == 0:
                changed = (what(resource) for resource in resources)
                self.patients[identifier] = [resource for resource in changed if resource is not None]
        return self

    def add(self, make: Callable[[str], Iterable[Json]]) -> Hospital:
        """Add resources to every patient."""
        for identifier, resources in self.patients.items():
            resources += make(identifier)
        return self

    def resources(self) -> list[Json]:
        """Every resource, patient by patient."""
        return [resource for resources in self.patients.values() for resource in resources]

    def export(self, folder: Path, *, zipped: bool = False) -> Path:
        """Write a Bulk Data export: one file a type."""
        folder.mkdir(exist_ok=True)
        by_type: dict[str, list[Json]] = {}
        for resource in self.resources():
            by_type.setdefault(resource["resourceType"], []).append(resource)
        for name, resources in by_type.items():
            lines = "".join(json.dumps(resource, ensure_ascii=False) + "\n" for resource in resources).encode()
            if zipped:
                (folder / f"{name}.000.ndjson.gz").write_bytes(gzip.compress(lines))
            else:
                (folder / f"{name}.000.ndjson").write_bytes(lines)
        return folder


def hospital(patients: int = 40) -> Hospital:
    """Build a clean hospital."""
    return Hospital({f"p{number:03}": _chart(f"p{number:03}", number) for number in range(patients)})


def _chart(identifier: str, number: int) -> list[Json]:
    """Build a chart; SII is above the cut-off for every other patient."""
    subject = {"reference": f"Patient/{identifier}"}
    # SII 4.0 x 150 / 1.8 = 333 and 4.6 x 190 / 1.5 = 583, each moved by up to a tenth.
    drift = 1 + (number % 11 - 5) / 50
    high = number % 2 == 1
    values = {
        NEUTROPHILS: (round((4.6 if high else 4.0) * drift, 2), "10*9/L"),
        LYMPHOCYTES: (1.5 if high else 1.8, "10*9/L"),
        PLATELETS: (round((190 if high else 150) * drift), "10*9/L"),
        ALBUMIN: (round(40 * drift, 1), "g/L"),
    }
    return [
        patient(id=identifier),
        condition(id=f"{identifier}-c", subject=subject),
        procedure(id=f"{identifier}-p", subject=subject),
        *(
            named(observation(code, value, unit, when=days_ago(40), oid=f"{identifier}-{code}", subject=subject))
            for code, (value, unit) in values.items()
        ),
    ]


def named(result: Json) -> Json:
    """Give the coding of a result its display."""
    coding = result["code"]["coding"][0]
    return result | {"code": {"coding": [coding | {"display": NAMES[coding["code"]]}]}}


def of_code(*codes: str, change: Callable[[Json], Json | None]) -> Change:
    """Change the Observations of some codes only."""

    def apply(resource: Json) -> Json | None:
        if resource["resourceType"] != "Observation" or code_of(resource) not in codes:
            return resource
        return change(resource)

    return apply


def of_type(resource_type: str, **members: Any) -> Change:
    """Replace members of all resources of a type; None takes a member out."""

    def apply(resource: Json) -> Json:
        if resource["resourceType"] != resource_type:
            return resource
        return {key: value for key, value in (resource | members).items() if value is not None}

    return apply


def recoded(system: str, code: str, display: str | None) -> Callable[[Json], Json]:
    """Give a result another code."""
    coding = {"system": system, "code": code} | ({"display": display} if display else {})
    return lambda resource: resource | {"code": {"coding": [coding]}}


def measured(unit: str | None, *, times: float = 1.0, ucum: bool = False) -> Callable[[Json], Json]:
    """Give a result another unit, as text alone unless `ucum`, and another scale."""

    def change(resource: Json) -> Json:
        value = round(resource["valueQuantity"]["value"] * times, 6)
        quantity: Json = {"value": value} | ({"unit": unit} if unit else {})
        if unit and ucum:
            quantity |= {"system": "http://unitsofmeasure.org", "code": unit}
        return resource | {"valueQuantity": quantity}

    return change


def code_of(resource: Json) -> str:
    """The first code of a resource."""
    return str(resource["code"]["coding"][0]["code"])
