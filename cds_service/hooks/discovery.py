"""CDS Hooks discovery: what the service offers (specification: Discovery, requirements 10-25, 52-61)."""

from __future__ import annotations

import msgspec


class ServiceDescription(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One entry of the discovery answer. `prefetch` maps a key to a FHIR query template."""

    hook: str
    title: str
    description: str
    id: str
    prefetch: dict[str, str]
    usage_requirements: str
    # RECOMMENDED by the 3.0 ballot text: the version of CDS Hooks that is implemented; harmless before.
    version: str


class Discovery(msgspec.Struct, frozen=True):
    """The answer to GET /cds-services."""

    services: tuple[ServiceDescription, ...]
