"""The chart of a sampled patient as the hook request that would bring it, so that the service's own flow reads it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import msgspec

from cds_service.acquisition import prefetch
from cds_service.hooks.request import HOOK, CDSRequest, Context

if TYPE_CHECKING:
    from collections.abc import Iterable

# A hook without prefetch reads about as many of one patient; results come unsorted here, so the oldest may stay.
MOST_RESULTS: Final = 2_000
_INSTANCE: Final = "00000000-0000-4000-8000-000000000000"


@dataclass(slots=True)
class Chart:
    """The resources of one patient as bytes. `patient` is None where the source holds no Patient.

    `is_cut`: there are more results than MOST_RESULTS.
    """

    patient: bytes | None = None
    conditions: list[bytes] = field(default_factory=list)
    procedures: list[bytes] = field(default_factory=list)
    blood_counts: list[bytes] = field(default_factory=list)
    albumin: list[bytes] = field(default_factory=list)
    is_cut: bool = False

    @property
    def is_empty(self) -> bool:
        """Tell whether the source holds nothing of the patient that the service would ask for."""
        return self.patient is None and not any((self.conditions, self.procedures, self.blood_counts, self.albumin))

    def request(self, patient_id: str) -> CDSRequest:
        """Return the request of a hook whose prefetch holds the chart."""
        content = {
            prefetch.CONDITIONS: bundle(self.conditions),
            prefetch.PROCEDURES: bundle(self.procedures),
            prefetch.BLOOD_COUNTS: bundle(self.blood_counts),
            prefetch.ALBUMIN: bundle(self.albumin),
        }
        if self.patient is not None:
            content[prefetch.PATIENT] = msgspec.Raw(self.patient)
        return hook_request(patient_id, content)


def hook_request(patient_id: str, content: dict[str, msgspec.Raw]) -> CDSRequest:
    """Return a hook request of nobody in particular."""
    return CDSRequest(HOOK, _INSTANCE, Context("Practitioner/sii-cds-doctor", patient_id), content)


def bundle(resources: Iterable[bytes]) -> msgspec.Raw:
    """Return a searchset of resources. Each is one JSON object."""
    entries = b",".join(b'{"resource":' + resource.strip() + b"}" for resource in resources)
    return msgspec.Raw(b'{"resourceType":"Bundle","type":"searchset","entry":[' + entries + b"]}")
