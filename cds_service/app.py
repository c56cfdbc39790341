"""Wiring: from the configuration of a site to its WSGI application. Reading starts here.

settings ─┬─ site            what the rule, the mappings and the cards need
          ├─ authenticator   who may ask
          ├─ audit log       where decisions are recorded
          └─ services        what is answered
               └─ web        how it is asked
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import cache
from multiprocessing.util import Finalize
from typing import TYPE_CHECKING, Final

from cds_service.acquisition.from_settings import fetching_from_settings
from cds_service.audit.keys import read_key
from cds_service.audit.log import AuditLog
from cds_service.authorization.authenticator import Authenticator as VerifyingAuthenticator
from cds_service.authorization.from_settings import authenticator_from_settings
from cds_service.decision.answering import DecisionService
from cds_service.decision.recording import Recorder, RecordingChoices
from cds_service.decision.site import sites_from_settings
from cds_service.decision.snoozing import SnoozeOptions, Snoozing
from cds_service.errors import StateUnavailableError
from cds_service.model_card.site_card import SiteModelCard
from cds_service.server.in_force import ServedApplication
from cds_service.services.sii_recurrence_risk import SII_RECURRENCE_RISK
from cds_service.settings.named_files import holding
from cds_service.smart.from_settings import places_for_launches, trend_apps
from cds_service.state.chain_heads import HeadKeeper, kept_head
from cds_service.state.installation_key import InstallationKey
from cds_service.state.snoozes import SnoozeStore
from cds_service.web.application import build_application
from cds_service.web.exposition import join_workers
from cds_service.web.metrics import Metrics
from cds_service.web.ports import ContentVersions, Parts, Running, new_uuid, utc_now
from cds_service.web.reloading import Reloader
from cds_service.web.request_head import TrustedProxies

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from flask import Flask

    from cds_service.acquisition.delivery import Fetching
    from cds_service.audit.chain import ChainHead
    from cds_service.decision.definition import ServiceDefinition
    from cds_service.decision.site import Site
    from cds_service.server.in_force import InForce
    from cds_service.settings import Settings
    from cds_service.web.ports import Authenticator, CDSService, ReadinessCheck

_LOGGER = logging.getLogger(__name__)

# What is offered, in the order of discovery. The model card, and the rule named by the metrics, are those of the first.
SERVICES: Final = (SII_RECURRENCE_RISK,)

# Staged: patient, conditions and procedures together, then blood counts and albumin. Parallel: all five.
REQUESTS_AT_A_TIME: Final = {"staged": 3, "parallel": 5}


def serve_site(in_force: InForce) -> ServedApplication:
    """Build in a worker what it serves, and say how it takes another configuration. Raises ConfigurationError."""
    join_workers()
    metrics = Metrics()
    with holding(dict(in_force.contents)):
        audit = open_audit_log(in_force.settings)
        running = Running(serving_parts(in_force.settings, audit, metrics))
    # The last records of this worker get their kept head too. Not by `atexit`, which a forked process never comes to.
    Finalize(None, audit.close, exitpriority=0)
    metrics.configuration.note_start(running.parts.versions, utc_now().timestamp())
    reloader = make_reloader(running, audit, metrics)
    return ServedApplication(
        wsgi=build_application(running, metrics),
        apply=reloader.apply,
        note_refused=metrics.configuration.note_refused,
    )


def create_app(
    settings: Settings,
    *,
    services: Mapping[str, CDSService] | None = None,
    authenticator: Authenticator | None = None,
    now: Callable[[], datetime] = utc_now,
    new_uuid: Callable[[], str] = new_uuid,
    metrics: Metrics | None = None,
) -> Flask:
    """Build the application of a site without reload. `now` is aware. Raises ConfigurationError.

    Several applications of one process count into the same `metrics`: what each kept apart would be written over.
    """
    metrics = metrics or Metrics()
    parts = build_parts(settings, open_audit_log(settings), now(), metrics)
    metrics.configuration.note_start(parts.versions, now().timestamp())
    if services is not None:
        parts = replace(parts, services=services)
    if authenticator is not None:
        parts = replace(parts, authenticator=authenticator, readiness={**parts.readiness, **ready(authenticator)})
    return build_application(Running(parts, now, new_uuid), metrics)


def serving_parts(
    settings: Settings, audit: AuditLog, metrics: Metrics, previous: VerifyingAuthenticator | None = None
) -> Parts:
    """Build the parts of a worker that serves: it also keeps fetched keys fresh. Raises ConfigurationError."""
    authenticator = authenticator_from_settings(settings, previous, metrics.trust)
    parts = build_parts(settings, audit, utc_now(), metrics, authenticator)
    authenticator.keep_keys_fresh()
    return parts


def build_parts(
    settings: Settings,
    audit: AuditLog,
    now: datetime,
    metrics: Metrics,
    authenticator: VerifyingAuthenticator | None = None,
) -> Parts:
    """Build all that follows from one configuration. The audit log stays the one that was opened at start.

    Raises ConfigurationError.
    """
    sites = sites_from_settings(settings, SERVICES)
    first = sites[SERVICES[0].id]
    audit.wait_seconds = settings.server.hook_deadline_seconds
    choices, fetches = recording_choices(settings), fetching(settings, first, metrics)
    recorders = [Recorder(audit, site, choices, metrics.audit) for site in sites.values()]
    services = [
        DecisionService(site, recorder, fetches, snoozing(settings, site.service))
        for site, recorder in zip(sites.values(), recorders, strict=True)
    ]
    authenticator = authenticator or authenticator_from_settings(settings)
    apps = trend_apps(settings, first, recorders[0], authenticator.replay, pseudonym_key(settings), metrics.upstream)
    # Last: what cannot be built is not recorded as being in force.
    for recorder in recorders:
        recorder.begin(now)
    return Parts(
        versions=ContentVersions(settings.hash, first.mappings.version),
        public_url=settings.service.public_url,
        trusted_proxies=TrustedProxies(settings.server.trusted_proxies),
        max_request_bytes=settings.server.max_request_bytes,
        cors_origins=frozenset(settings.cors.origins),
        services={service.id: service for service in services},
        authenticator=authenticator,
        model_card=SiteModelCard(first.policy, first.mappings.version, settings.languages, settings.service.language),
        readiness={"audit": audit.check, **ready(authenticator)},
        hook_deadline_seconds=settings.server.hook_deadline_seconds,
        trend_apps=apps,
        places_for_launches=places_for_launches(settings),
        language=settings.service.language,
    )


def make_reloader(running: Running, audit: AuditLog, metrics: Metrics) -> Reloader:
    """Say how the parts in use are replaced when the configuration has changed."""

    def build(changed: Settings) -> Parts:
        previous = running.parts.authenticator
        kept = previous if isinstance(previous, VerifyingAuthenticator) else None
        return serving_parts(changed, audit, metrics, kept)

    return Reloader(running, build, metrics)


def ready(authenticator: Authenticator) -> dict[str, ReadinessCheck]:
    """Return the readiness check of what the authenticator stands on."""
    return {"state": authenticator.check_ready}


def fetching(settings: Settings, site: Site, metrics: Metrics) -> Fetching:
    """Prepare the pool that asks FHIR servers, large enough for every hook that may run at a time."""
    threads = REQUESTS_AT_A_TIME[settings.acquisition.strategy] * settings.server.threads
    return fetching_from_settings(settings, site.mappings, threads, metrics.upstream)


@cache
def snooze_store(url: str) -> SnoozeStore:
    """Return the one store of this process: a reload goes on with its connections, `state.url` needs a restart."""
    return SnoozeStore(url)


def snoozing(settings: Settings, service: ServiceDefinition) -> Snoozing | None:
    """Prepare the snooze of overridden cards; None, and no cost, where the site does not want it."""
    cards = settings.cards
    if not cards.snooze_hours:
        return None
    options = SnoozeOptions(timedelta(hours=cards.snooze_hours), Decimal(cards.snooze_unless_sii_rises_percent) / 100)
    return Snoozing(snooze_store(settings.state.url), options, snooze_key(settings), service)


def snooze_key(settings: Settings) -> Callable[[], bytes]:
    """Return the key of what the snooze remembers: that of the audit log, else one made for this installation."""
    given = audit_key(settings)
    return installation_key(settings.state.url) if given is None else lambda: given


@cache
def installation_key(url: str) -> InstallationKey:
    """Return the one key of this installation, read or made when it is first needed."""
    return InstallationKey(url)


def open_audit_log(settings: Settings) -> AuditLog:
    """Describe the audit log; nothing is written yet."""
    audit = settings.audit
    return AuditLog(
        audit.directory,
        key=audit_key(settings),
        rotate_bytes=audit.rotate_bytes,
        retention_days=audit.retention_days,
        known_head=known_head(settings),
        on_head=HeadKeeper(settings.state.url, audit.directory).keep,
    )


def known_head(settings: Settings) -> ChainHead | None:
    """Return the newest record that the state store remembers, so that its number is never given twice.

    None when there is none, or when the state store cannot be asked now: readiness tells of that.
    """
    try:
        return kept_head(settings.state.url, settings.audit.directory)
    except StateUnavailableError as error:
        _LOGGER.warning("the kept head of the audit chain is not known: %s", error.log_detail)
        return None


def recording_choices(settings: Settings) -> RecordingChoices:
    """Translate what the site wants to keep."""
    audit = settings.audit
    return RecordingChoices(
        keep_values=audit.values,
        keep_comments=audit.feedback_comments,
        pseudonym_key=pseudonym_key(settings),
        on_failure=audit.on_failure,
    )


def pseudonym_key(settings: Settings) -> bytes | None:
    """Read the key of the pseudonyms, if the site keeps patients by pseudonym. Raises ConfigurationError."""
    return audit_key(settings) if settings.audit.pseudonymize_patient else None


def audit_key(settings: Settings) -> bytes | None:
    """Read the key file of the audit log, if the site has one. Raises ConfigurationError."""
    path = settings.audit.hmac_key_file
    return read_key(path) if path is not None else None
