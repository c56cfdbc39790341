"""What is counted: one object for each application, told by whoever does the work.

Labels hold configured names and closed vocabularies only: never a patient, a user, a token, or a caller's text. Every
name here is used by the dashboard or the alerts in `docker/`, or stands in the table of `docker/README.md`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

if TYPE_CHECKING:
    from cds_service.web.exchange import Exchange
    from cds_service.web.ports import ContentVersions


# Seconds. The specification asks for about 0.5 (requirement 37); the default deadline of a hook is 2.
_HOOK_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0)
_FETCH_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 5.0)

CONFIGURATION_IN_USE = "sii_cds_workers"


class Metrics:
    """Counters, gauges and histograms of one application."""

    def __init__(self) -> None:
        """Create them in a registry of their own, so that several applications fit into one process."""
        self.registry = CollectorRegistry()
        self._hooks = HookMetrics(self.registry)
        self.audit = AuditMetrics(self.registry)
        self.upstream = UpstreamMetrics(self.registry)
        self.configuration = ConfigurationMetrics(self.registry)
        self._refusals = Counter(
            "sii_cds_refusals",
            "Answers with a status of 400 or more, by route, status and reason.",
            ["route", "status", "reason"],
            registry=self.registry,
        )
        self._feedback = Counter(
            "sii_cds_feedback",
            "Feedback items kept, by service, client and outcome.",
            ["service", "client", "outcome"],
            registry=self.registry,
        )
        self.trust = TrustMetrics(self.registry)
        self.views = ViewMetrics(self.registry)
        self._refusals_of = lru_cache(maxsize=None)(self._refusals.labels)

    def count(self, exchange: Exchange, *, route: str, status: int, seconds: float) -> None:
        """Count one finished exchange."""
        if exchange.service is not None:
            self._hooks.count(exchange.service, exchange, seconds)
        if status >= 400:
            self._refusals_of(route, str(status), exchange.refusal or "other").inc()
            if exchange.trend_app is not None:
                self.views.count_refused(exchange.trend_app.registration.client, exchange.refusal or "other")
            if exchange.distrust is not None:
                self.trust.count_distrust(exchange.distrust.reason, exchange.distrust.client)

    def count_feedback(self, service: str, client: str, outcome: str) -> None:
        """Count one feedback item: accepted or overridden."""
        self._feedback.labels(service, client, outcome).inc()


class HookMetrics:
    """Hooks and what became of them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        answered = Counter(
            "sii_cds_hooks",
            "Hooks answered with 200, by service, client, its mode, and outcome.",
            ["service", "client", "mode", "outcome"],
            registry=registry,
        )
        reasons = Counter(
            "sii_cds_hook_reasons",
            "Reasons of hooks that are indeterminate or not eligible; a hook may have several.",
            ["service", "client", "outcome", "reason"],
            registry=registry,
        )
        excluded = Counter(
            "sii_cds_observations_excluded",
            "Observations of eligible patients that were not used, by reason.",
            ["service", "client", "reason"],
            registry=registry,
        )
        duration = Histogram(
            "sii_cds_hook_duration_seconds",
            "Time from the head of a hook request to its answer, refused ones included.",
            ["service"],
            buckets=_HOOK_BUCKETS,
            registry=registry,
        )
        # Finding a labelled child takes longer than counting with it.
        self._answered_of = lru_cache(maxsize=None)(answered.labels)
        self._reasons_of = lru_cache(maxsize=None)(reasons.labels)
        self._excluded_of = lru_cache(maxsize=None)(excluded.labels)
        self._duration_of = lru_cache(maxsize=None)(duration.labels)

    def count(self, service: str, exchange: Exchange, seconds: float) -> None:
        """Count one hook request, answered or refused."""
        self._duration_of(service).observe(seconds)
        verdict = exchange.verdict
        if verdict is None:
            return
        client = exchange.client
        self._answered_of(service, client, exchange.mode, verdict.outcome).inc()
        for reason in verdict.reasons:
            self._reasons_of(service, client, verdict.outcome, reason).inc()
        for reason, number in verdict.exclusions:
            self._excluded_of(service, client, reason).inc(number)


class ViewMetrics:
    """Pages of the trend app, and launches that led to none."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._shown = Counter(
            "sii_cds_views",
            "Pages of the trend app shown, by client and outcome.",
            ["client", "outcome"],
            registry=registry,
        )
        self._refused = Counter(
            "sii_cds_view_refusals",
            "Launches of the trend app that led to no page, by client and reason.",
            ["client", "reason"],
            registry=registry,
        )

    def count_shown(self, client: str, outcome: str) -> None:
        """Count a page."""
        self._shown.labels(client, outcome).inc()

    def count_refused(self, client: str, reason: str) -> None:
        """Count a launch without one."""
        self._refused.labels(client, reason).inc()


class AuditMetrics:
    """The state of the audit log, as this worker meets it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._records = Counter("sii_cds_audit_records", "Audit records written.", registry=registry)
        self._seconds = Counter(
            "sii_cds_audit_write_seconds", "Time spent waiting for audit records to be on the disk.", registry=registry
        )
        self._failures = Counter(
            "sii_cds_audit_write_failures", "Audit records that could not be written.", registry=registry
        )
        self._head = Gauge(
            "sii_cds_audit_head_sequence",
            "Number of the newest record of the audit chain that a worker wrote.",
            multiprocess_mode="max",
            registry=registry,
        )
        self._clock = Gauge(
            "sii_cds_audit_clock_in_doubt",
            "1 while the days of the audit log leap, or lie ahead of the clock: no expired file is removed.",
            multiprocess_mode="livemax",
            registry=registry,
        )
        self._last = Gauge(
            "sii_cds_audit_last_write_timestamp_seconds",
            "When the newest audit record was written.",
            multiprocess_mode="max",
            registry=registry,
        )

    def note_clock(self, *, in_doubt: bool) -> None:
        """Note whether the days of the log and the clock of this host agree."""
        self._clock.set(in_doubt)

    def note_records(self, number: int, sequence: int, seconds: float, at: float) -> None:
        """Note records that are on the disk, how long that took, and when it was (seconds since 1970)."""
        self._records.inc(number)
        self._seconds.inc(seconds)
        self._head.set(sequence)
        self._last.set(at)

    def note_failure(self) -> None:
        """Note a record that could not be written."""
        self._failures.inc()


class UpstreamMetrics:
    """What FHIR servers answered."""

    def __init__(self, registry: CollectorRegistry) -> None:
        seconds = Histogram(
            "sii_cds_upstream_duration_seconds",
            "Time of a request to a FHIR server of the configuration, failed ones included.",
            ["server"],
            buckets=_FETCH_BUCKETS,
            registry=registry,
        )
        failures = Counter(
            "sii_cds_upstream_failures",
            "Searches and reads at a FHIR server of the configuration that did not bring all, by reason.",
            ["server", "reason"],
            registry=registry,
        )
        limits = Counter(
            "sii_cds_upstream_limits_reached",
            "Searches and reads at a FHIR server that were cut off at the service's own limits (acquisition.max_*).",
            ["server"],
            registry=registry,
        )
        self._limits_of = lru_cache(maxsize=None)(limits.labels)
        self._seconds_of = lru_cache(maxsize=None)(seconds.labels)
        self._failures_of = lru_cache(maxsize=None)(failures.labels)

    def note_answer(self, server: str, seconds: float) -> None:
        """Note a request that came to an end, well or not."""
        self._seconds_of(server).observe(seconds)

    def note_failure(self, server: str, reason: str) -> None:
        """Note a search or read that did not bring all that was asked for."""
        self._failures_of(server, reason).inc()

    def note_limit(self, server: str) -> None:
        """Note a search or read that was cut off at a limit of the service's own."""
        self._limits_of(server).inc()


class ConfigurationMetrics:
    """Which configuration is in use, and how the last attempt to replace it ended."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._starts = Counter(
            "sii_cds_worker_starts",
            "Worker processes started; more than workers means that some died.",
            registry=registry,
        )
        reloads = Counter(
            "sii_cds_reloads",
            "Attempts of a worker to reload the configuration, by result.",
            ["result"],
            registry=registry,
        )
        # From the start at zero, so that the first one is an increase.
        self._count_applied, self._count_refused = reloads.labels("applied"), reloads.labels("refused")
        self._succeeded = Gauge(
            "sii_cds_configuration_last_reload_successful",
            "1 when the configuration files, as they are now, are in use in every worker; 0 when one refused them.",
            multiprocess_mode="min",
            registry=registry,
        )
        self._applied = Gauge(
            "sii_cds_configuration_applied_timestamp_seconds",
            "When a worker last began to use a configuration.",
            multiprocess_mode="max",
            registry=registry,
        )
        self._workers = Gauge(
            CONFIGURATION_IN_USE,
            "Worker processes by the configuration and the mapping tables they use.",
            ["configuration", "mappings"],
            multiprocess_mode="sum",
            registry=registry,
        )
        self._in_use: ContentVersions | None = None

    def note_start(self, versions: ContentVersions, at: float) -> None:
        """Note what a worker began with, at a time in seconds since 1970."""
        self._starts.inc()
        self._use(versions, at)

    def note_applied(self, versions: ContentVersions, at: float) -> None:
        """Note that a changed configuration is in use."""
        self._count_applied.inc()
        self._use(versions, at)

    def note_refused(self) -> None:
        """Note that a changed configuration is not usable and the old one stays."""
        self._count_refused.inc()
        self._succeeded.set(0)

    def _use(self, versions: ContentVersions, at: float) -> None:
        if self._in_use is not None:
            self._workers.labels(*self._in_use).set(0)
        self._in_use = versions
        self._workers.labels(*versions).set(1)
        self._succeeded.set(1)
        self._applied.set(at)


class TrustMetrics:
    """Who was not trusted and why, and whether the keys of the clients are fresh.

    An empty client label stands for a caller that claims to be no configured client.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
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
