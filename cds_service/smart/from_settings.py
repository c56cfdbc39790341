"""From the configuration of a site to the trend apps of its clients."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from cds_service.acquisition.fhir.breaker import NoBreaker
from cds_service.acquisition.fhir.exchange import Exchanger
from cds_service.acquisition.from_settings import fetching_from_settings, http_options
from cds_service.audit.earlier_decisions import Asked, EarlierDecisions, read_earlier_decisions
from cds_service.audit.search import patient_forms
from cds_service.authorization.client_assertion import SigningKeyError, read_signing_keys
from cds_service.authorization.from_settings import ANONYMOUS
from cds_service.errors import ConfigurationError
from cds_service.foreign_bytes import text_of
from cds_service.settings.named_files import read_named_file
from cds_service.settings.smart_app_rules import fhir_server_of
from cds_service.smart.discovery import AuthorizationServer
from cds_service.smart.page import PageWriter
from cds_service.smart.registration import ClientProof, KeyClient, PublicClient, Registration, SecretClient
from cds_service.smart.trend_app import Means, TrendApp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from cds_service.acquisition.delivery import Fetching
    from cds_service.acquisition.fhir.fetcher import FetchWatch
    from cds_service.authorization.client_assertion import SigningKey
    from cds_service.decision.recording import Recorder
    from cds_service.decision.site import Site
    from cds_service.settings import Settings
    from cds_service.settings.smart_app import SmartAppSettings
    from cds_service.state.used_tokens import UsedTokens

# Patient, conditions and procedures together, or blood counts and albumin; all five where the site asks at once.
_REQUESTS_AT_A_TIME: Final = 5
_LONGEST_SEARCH_SECONDS: Final = 0.3
_LONGEST_SECRET: Final = 1_024


def registrations(settings: Settings) -> Iterator[Registration]:
    """Yield how the app is registered with each client that has one and is not silent.

    Raises ConfigurationError for a key or a secret that cannot be used.
    """
    for index, client in enumerate(settings.clients):
        app = client.smart_app
        if app is None or (client.mode or settings.service.mode) == "silent":
            continue
        server = fhir_server_of(app, client.fhir_servers)
        if server is None:
            # The rules of the settings demand one.
            raise ConfigurationError(log_detail=f"clients.{index}.smart_app.fhir_server is missing")
        yield Registration(
            client=client.name,
            hooks_as=client.name if settings.authentication.required else ANONYMOUS,
            client_id=app.client_id,
            proof=_proof(app, f"clients.{index}.smart_app"),
            fhir_server=server.removesuffix("/"),
            id_token_issuer=app.id_token_issuer,
            scope_syntax=app.scope_syntax,
            frame_ancestors=app.frame_ancestors,
            earlier_decisions_days=app.earlier_decisions_days,
            public_url=settings.service.public_url,
        )


def places_for_launches(settings: Settings) -> int:
    """Return how many launches and callbacks a worker answers at a time: a quarter of its threads."""
    return max(1, settings.server.threads // 4)


def trend_apps(
    settings: Settings,
    site: Site,
    recorder: Recorder,
    used: UsedTokens,
    pseudonym_key: bytes | None,
    watch: FetchWatch | None = None,
) -> Mapping[str, TrendApp]:
    """Build the trend apps by client, with connections and threads apart from those of hooks.

    Raises ConfigurationError.
    """
    found = tuple(registrations(settings))
    if not found:
        return {}
    places = places_for_launches(settings)
    exchanger = Exchanger(http_options(settings), connections=places)
    means = Means(
        site=site,
        recorder=recorder,
        used=used,
        exchanger=exchanger,
        fetching=_fetching(settings, site, places, watch),
        leeway_seconds=settings.authentication.leeway_seconds,
        draw=PageWriter(site).write,
        earlier=_earlier(settings, site, pseudonym_key),
    )
    languages = {client.name: client.language for client in settings.clients}
    drawn = {language: PageWriter(_in_language(site, language)).write for language in set(languages.values())}
    return {
        r.client: TrendApp(
            r, AuthorizationServer(r.fhir_server, exchanger), replace(means, draw=drawn[languages[r.client]])
        )
        for r in found
    }


def _in_language(site: Site, language: str | None) -> Site:
    return site if language is None else replace(site, cards=replace(site.cards, language=language))


def _fetching(settings: Settings, site: Site, places: int, watch: FetchWatch | None) -> Fetching:
    return fetching_from_settings(settings, site.mappings, _REQUESTS_AT_A_TIME * places, watch, NoBreaker())


def _earlier(
    settings: Settings, site: Site, pseudonym_key: bytes | None
) -> Callable[[Registration, str, datetime], EarlierDecisions]:
    directory = settings.audit.directory
    keys = () if pseudonym_key is None else (pseudonym_key,)

    def read(registration: Registration, patient: str, now: datetime) -> EarlierDecisions:
        if not registration.earlier_decisions_days:
            return EarlierDecisions()
        asked = Asked(
            patients=patient_forms(patient, keys),
            clients=frozenset({registration.client, registration.hooks_as}),
            service=site.service.id,
            since=now - timedelta(days=registration.earlier_decisions_days),
        )
        return read_earlier_decisions(directory, asked, _LONGEST_SEARCH_SECONDS)

    return read


def _proof(app: SmartAppSettings, place: str) -> ClientProof:
    if app.authentication == "private_key_jwt" and app.private_key_file is not None:
        return KeyClient(app.client_id, _keys(app.private_key_file, place))
    if app.authentication == "client_secret_basic" and app.client_secret_file is not None:
        return SecretClient(app.client_id, _secret(app.client_secret_file, place))
    return PublicClient(app.client_id)


def _keys(path: Path, place: str) -> tuple[SigningKey, ...]:
    try:
        return read_signing_keys(read_named_file(path))
    except OSError as error:
        raise ConfigurationError(f"{place}.private_key_file: {path} cannot be read: {error.strerror}") from None
    except SigningKeyError as error:
        raise ConfigurationError(f"{place}.private_key_file: {path} {error}") from None


def _secret(path: Path, place: str) -> str:
    try:
        secret = text_of(read_named_file(path)).strip()
    except OSError as error:
        raise ConfigurationError(f"{place}.client_secret_file: {path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise ConfigurationError(f"{place}.client_secret_file: {path} {error}") from None
    if not secret or len(secret) > _LONGEST_SECRET or not secret.isprintable():
        raise ConfigurationError(f"{place}.client_secret_file: {path} holds no secret: one line of text is needed")
    return secret
