"""What a running service says on /metrics, read by the parser of Prometheus' own client library."""

from __future__ import annotations

from typing import TYPE_CHECKING

import requests
from prometheus_client.parser import text_string_to_metric_families

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.samples import Sample


def scraped(url: str) -> list[Sample]:
    """Return all samples that the service at `url` exposes now."""
    answer = requests.get(f"{url}/metrics", timeout=10)
    answer.raise_for_status()
    return [sample for family in text_string_to_metric_families(answer.text) for sample in family.samples]


def total(url: str, name: str, **labels: str) -> float:
    """Add up the samples of a name that carry these labels."""
    return sum(sample.value for sample in _matching(url, name, labels))


def label_values(url: str, name: str, label: str, **labels: str) -> dict[str, float]:
    """Return the values of one label with what was counted under each."""
    return {sample.labels[label]: sample.value for sample in _matching(url, name, labels)}


def _matching(url: str, name: str, labels: dict[str, str]) -> Iterator[Sample]:
    return (sample for sample in scraped(url) if sample.name == name and sample.labels.items() >= labels.items())
