"""Metrics of client trust: who was not trusted and why, and whether the keys of the clients are fresh.

Reasons and client names are words of ours: nothing that a caller chose becomes a label.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry


class TrustMetrics:
    """Counters and the age of key sets. An empty client is one that nobody knows."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Create them in a registry."""
        self._distrust = Counter(
            "sii_cds_trust_refusals",
            "Requests whose caller was not trusted (401, 403), by reason and claimed client.",
            ["reason", "client"],
            registry=registry,
        )
        self._limited = Counter(
            "sii_cds_limited_addresses",
            "Times that an address began to be limited for failed attempts, by claimed client.",
            ["client"],
            registry=registry,
        )
        self._key_sets = Counter(
            "sii_cds_key_set_reads",
            "Attempts to read the public keys of a client, by result.",
            ["client", "result"],
            registry=registry,
        )
        self._key_set_read_at = Gauge(
            "sii_cds_key_set_read_timestamp_seconds",
            "When the public keys of a client were last read with success, in seconds since 1970.",
            ["client"],
            registry=registry,
            multiprocess_mode="max",
        )

    def count_distrust(self, reason: str, client_name: str | None) -> None:
        """Count a caller who was not trusted."""
        self._distrust.labels(reason, client_name or "").inc()

    def count_limited_address(self, client_name: str | None) -> None:
        """Count an address that begins to be limited."""
        self._limited.labels(client_name or "").inc()

    def count_key_set(self, client_name: str, *, usable: bool) -> None:
        """Count an attempt to read the keys of a client."""
        self._key_sets.labels(client_name, "usable" if usable else "failed").inc()
        if usable:
            self._key_set_read_at.labels(client_name).set_to_current_time()
