"""Prometheus metrics, for one process or for several.

Several workers write into the directory named by PROMETHEUS_MULTIPROC_DIR, which the serving command makes empty at
start; whichever worker is asked reads all of it. Labels hold the names of services, routes and outcomes only.
"""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING

from flask import Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from cds_service.web.authentication import PublicView
from cds_service.web.paths import METRICS

if TYPE_CHECKING:
    from flask import Flask

_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
# Seconds. The specification asks for about 0.5 (requirement 37); the default deadline of a hook is 2.
_BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)


class Metrics:
    """Counters and histogram of one application."""

    def __init__(self) -> None:
        """Create them in a registry of their own, so that several applications fit into one process."""
        self._registry = CollectorRegistry()
        self._hooks = Counter(
            "sii_cds_hooks", "Hooks answered with 200, by outcome.", ["outcome"], registry=self._registry
        )
        self._duration = Histogram(
            "sii_cds_hook_duration_seconds",
            "Time from the head of a hook request to its answer, refused ones included.",
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._refusals = Counter(
            "sii_cds_refusals",
            "Answers with a status of 400 or more, by route and status.",
            ["route", "status"],
            registry=self._registry,
        )
        self._reloads = Counter(
            "sii_cds_reloads", "Attempts to reload the configuration, by result.", ["result"], registry=self._registry
        )
        self._distrust = Counter(
            "sii_cds_trust_refusals",
            "Requests whose caller was not trusted (401, 403), by reason and claimed client.",
            ["reason", "client"],
            registry=self._registry,
        )
        self._limited = Counter(
            "sii_cds_limited_addresses",
            "Times that an address began to be limited for failed attempts, by claimed client.",
            ["client"],
            registry=self._registry,
        )
        self._key_sets = Counter(
            "sii_cds_key_set_reads",
            "Attempts to read the public keys of a client, by result.",
            ["client", "result"],
            registry=self._registry,
        )
        self._key_set_read_at = Gauge(
            "sii_cds_key_set_read_timestamp_seconds",
            "When the public keys of a client were last read with success, in seconds since 1970.",
            ["client"],
            registry=self._registry,
            multiprocess_mode="max",
        )
        # Finding a labelled child takes longer than counting with it.
        self._hooks_of = lru_cache(maxsize=None)(self._hooks.labels)
        self._refusals_of = lru_cache(maxsize=None)(self._refusals.labels)

    def count_hook(self, outcome: str | None, seconds: float) -> None:
        """Count one hook request; `outcome` is None for one that was refused."""
        self._duration.observe(seconds)
        if outcome is not None:
            self._hooks_of(outcome).inc()

    def count_refusal(self, route: str, status: int) -> None:
        """Count an answer, if it is a refusal or a failure."""
        if status >= 400:
            self._refusals_of(route, str(status)).inc()

    def count_distrust(self, reason: str, client_name: str | None) -> None:
        """Count a caller who was not trusted. Both are words of ours: nothing that the caller chose is a label."""
        self._distrust.labels(reason, client_name or "").inc()

    def count_limited_address(self, client_name: str | None) -> None:
        """Count an address that begins to be limited."""
        self._limited.labels(client_name or "").inc()

    def count_key_set(self, client_name: str, *, usable: bool) -> None:
        """Count an attempt to read the keys of a client."""
        self._key_sets.labels(client_name, "usable" if usable else "failed").inc()
        if usable:
            self._key_set_read_at.labels(client_name).set_to_current_time()

    def count_reload(self, result: str) -> None:
        """Count an attempt to reload: applied or refused."""
        self._reloads.labels(result).inc()

    def exposition(self) -> bytes:
        """Return the metrics of this process, or of all workers together, in the text format of Prometheus."""
        if _DIRECTORY not in os.environ:
            return generate_latest(self._registry)
        merged = CollectorRegistry()
        MultiProcessCollector(merged)  # type: ignore[no-untyped-call]  # untyped in the library
        return generate_latest(merged)


def add_metrics_route(app: Flask, metrics: Metrics) -> None:
    """Serve the metrics. They hold no patient data, so the route is public; a proxy decides who reaches it."""

    def show_metrics() -> Response:
        return Response(metrics.exposition(), content_type=CONTENT_TYPE_LATEST)

    app.add_url_rule(METRICS, "metrics", PublicView(show_metrics), methods=["GET"])
