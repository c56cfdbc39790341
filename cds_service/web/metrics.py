"""Prometheus metrics, for one process or for several.

Several workers write into the directory named by PROMETHEUS_MULTIPROC_DIR, which the serving command makes empty at
start; whichever worker is asked reads all of it. Labels hold the names of services, routes and outcomes only.
"""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING

from flask import Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from cds_service.web.authentication import PublicView
from cds_service.web.paths import METRICS
from cds_service.web.trust_metrics import TrustMetrics

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
        self.trust = TrustMetrics(self._registry)
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
