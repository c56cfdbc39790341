"""From the configuration of a site to what asks FHIR servers: the same limits, certificates and proxy for all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cds_service.acquisition.delivery import Fetching
from cds_service.acquisition.fhir.exchange import HTTPOptions
from cds_service.acquisition.fhir.fetcher import Fetcher
from cds_service.acquisition.queries import site_queries

if TYPE_CHECKING:
    from cds_service.acquisition.fhir.breaker import NoBreaker
    from cds_service.acquisition.fhir.fetcher import FetchWatch
    from cds_service.settings import Settings
    from fhir_mappings.mappings import Mappings


def http_options(settings: Settings) -> HTTPOptions:
    """Return how single requests are made."""
    acquisition = settings.acquisition
    return HTTPOptions(
        connect_seconds=acquisition.connect_timeout_seconds,
        max_bytes=acquisition.max_response_bytes,
        ca_file=acquisition.ca_file,
        proxy=acquisition.proxy,
    )


def fetching_from_settings(
    settings: Settings,
    mappings: Mappings,
    threads: int,
    watch: FetchWatch | None = None,
    breaker: NoBreaker | None = None,
) -> Fetching:
    """Prepare a pool of `threads` that asks FHIR servers with the site's codes.

    Raises ConfigurationError for a CA file that cannot be used.
    """
    acquisition = settings.acquisition
    fetcher = Fetcher(
        http_options(settings),
        max_pages=acquisition.max_pages,
        max_entries=acquisition.max_entries,
        threads=threads,
        watch=watch,
        breaker=breaker,
    )
    return Fetching(
        fetcher,
        site_queries(mappings),
        settings.server.hook_deadline_seconds,
        parallel=acquisition.strategy == "parallel",
    )
