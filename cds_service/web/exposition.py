"""GET /metrics: the numbers of all workers added up, whichever of them is asked.

Each worker counts into files of its own in one directory, named by its place among the workers and not by its process
number: a worker that replaces a dead one goes on from the numbers it left. So nothing that was counted is lost, and
the directory does not grow, however often workers die.
"""

from __future__ import annotations

import fcntl
import os
from importlib.metadata import version
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest, values
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from cds_service.errors import ServiceError
from cds_service.web.authentication import PublicView
from cds_service.web.exchange import current_exchange
from cds_service.web.metrics import CONFIGURATION_IN_USE
from cds_service.web.paths import DIRECTORY_VARIABLE, METRICS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask
    from prometheus_client.metrics_core import Metric

    from cds_service.web.metrics import Metrics
    from cds_service.web.ports import Parts, ReadinessCheck


def join_workers() -> None:
    """Let this process count together with the other workers of the serving command, if there is one.

    To be called once in each worker, before its metrics are made.
    """
    named = os.environ.get(DIRECTORY_VARIABLE)
    if named is None:
        return
    directory = Path(named)
    # Cleaners of temporary directories take it away after days: that must end no worker that starts later.
    directory.mkdir(mode=0o700, exist_ok=True)
    place = _take_place(directory)
    # Gauges tell how things are, and the worker that had this place is gone. Counters and histograms go on.
    for file in directory.glob(f"gauge_*_{place}.db"):
        file.unlink()
    values.ValueClass = values.MultiProcessValue(lambda: place)  # type: ignore[no-untyped-call]  # untyped in the library


def _take_place(directory: Path) -> int:
    """Return the lowest number that no living worker has. It is given back by the end of the process."""
    for place in count():
        descriptor = os.open(directory / f"place_{place}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
        else:
            return place
    raise AssertionError


def add_metrics_route(app: Flask, metrics: Metrics) -> None:
    """Serve the metrics. They hold no patient data, so the route is public; a proxy decides who reaches it."""

    def show_metrics() -> Response:
        return Response(exposition(metrics, current_exchange().parts), content_type=CONTENT_TYPE_LATEST)

    app.add_url_rule(METRICS, "metrics", PublicView(show_metrics), methods=["GET"])


def exposition(metrics: Metrics, parts: Parts) -> bytes:
    """Return the metrics in the text format of Prometheus, with the readiness as it is now."""
    shown = CollectorRegistry()
    shown.register(_Counted(metrics))
    shown.register(_Now(parts))
    return generate_latest(shown)


class _Counted(Collector):
    """What was counted, by this process or by all workers together."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        for family in self._families():
            if family.name == CONFIGURATION_IN_USE:
                # A configuration that no worker uses any more.
                family.samples = [sample for sample in family.samples if sample.value]
            yield family

    def _families(self) -> Iterator[Metric]:
        if values.ValueClass is values.MutexValue:
            yield from self._metrics.registry.collect()
        else:
            yield from MultiProcessCollector(None).collect()  # type: ignore[no-untyped-call]  # untyped in the library


class _Now(Collector):
    """What is asked when the metrics are: readiness and versions."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def collect(self) -> Iterator[Metric]:
        ready = GaugeMetricFamily("sii_cds_ready", "1 when this part of readiness holds now.", labels=["check"])
        for name, check in self._parts.readiness.items():
            ready.add_metric([name], float(_holds(check)))
        yield ready
        info = GaugeMetricFamily("sii_cds_build_info", "Always 1; versions are labels.", labels=["version", "rule"])
        info.add_metric([version("sii-cds"), next(iter(self._parts.services.values())).rule_version], 1)
        yield info


def _holds(check: ReadinessCheck) -> bool:
    try:
        check()
    except ServiceError:
        return False
    return True
