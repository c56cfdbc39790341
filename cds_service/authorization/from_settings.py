"""From the configuration of a site to its Authenticator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cds_service.authorization.authenticator import Authenticator
from cds_service.authorization.clients import ClientTrust, TokenPolicy, TrustedClient
from cds_service.authorization.key_file import KeyFile
from cds_service.authorization.key_url import KeySetAddress, KeyUrl
from cds_service.authorization.keys import KeySetError
from cds_service.authorization.observing import SilentObserver, TrustObserver
from cds_service.errors import ConfigurationError
from cds_service.smart.addresses import LAUNCH, address_of
from cds_service.state.used_tokens import UsedTokens

if TYPE_CHECKING:
    from cds_service.authorization.keys import KeySource
    from cds_service.settings import ClientSettings, Settings

ANONYMOUS = "anonymous"


def authenticator_from_settings(
    settings: Settings, previous: Authenticator | None = None, observer: TrustObserver | None = None
) -> Authenticator:
    """Build the Authenticator of a site; `observer` counts for its metrics.

    On reload, `previous` hands on the keys it fetched, its state store and what it knows of failed attempts: a reload
    during an outage of the key server must not lock the EHR out. Raises ConfigurationError when a key file holds no
    usable key, or when no driver for `state.url` is installed.
    """
    authentication = settings.authentication
    observer = observer or SilentObserver()
    return Authenticator(
        _trusted(settings, previous, observer) if authentication.required else (),
        TokenPolicy(authentication.leeway_seconds, authentication.max_lifetime_seconds),
        _replay(settings, previous),
        anonymous=None if authentication.required else _anonymous(settings),
        failures=previous.failures if previous is not None else None,
        observer=observer,
    )


def _replay(settings: Settings, previous: Authenticator | None) -> UsedTokens:
    if previous is not None and previous.replay.url == settings.state.url:
        return previous.replay
    return UsedTokens(settings.state.url)


def _anonymous(settings: Settings) -> TrustedClient:
    """What everybody may do: ask every listed server, without a token only where each entry allows that."""
    servers = dict.fromkeys(server for client in settings.clients for server in client.fhir_servers)
    return TrustedClient(
        name=ANONYMOUS,
        issuer=None,
        mode=settings.service.mode,
        fhir_servers=tuple(servers),
        open_fhir_server=bool(settings.clients) and all(client.open_fhir_server for client in settings.clients),
        # Of several nobody can tell whose chart is open.
        trend_app=_trend_app(settings, settings.clients[0]) if len(settings.clients) == 1 else None,
    )


def _trusted(settings: Settings, previous: Authenticator | None, observer: TrustObserver) -> tuple[ClientTrust, ...]:
    known = {client.name: client.keys for client in previous.clients} if previous is not None else {}
    return tuple(
        ClientTrust(
            issuer=client.issuer,
            keys=_keys(settings, index, client, known.get(client.name), observer),
            algorithms=client.algorithms,
            rights=_rights(settings, client),
            key_set_url=client.jwks_url,
            named_key_sets=client.jku,
            audiences=client.audiences,
            tenants=client.tenants,
        )
        for index, client in enumerate(settings.clients)
    )


def _rights(settings: Settings, client: ClientSettings) -> TrustedClient:
    return TrustedClient(
        name=client.name,
        issuer=client.issuer,
        mode=client.mode or settings.service.mode,
        fhir_servers=client.fhir_servers,
        open_fhir_server=client.open_fhir_server,
        trend_app=_trend_app(settings, client),
        language=client.language,
    )


def _trend_app(settings: Settings, client: ClientSettings) -> str | None:
    """Return where the EHR opens the trend app of a client; None where it has none, or is silent."""
    if client.smart_app is None or (client.mode or settings.service.mode) == "silent":
        return None
    return address_of(LAUNCH, settings.service.public_url, client.name)


def _keys(
    settings: Settings, index: int, client: ClientSettings, known: KeySource | None, observer: TrustObserver
) -> KeySource:
    if client.jwks_url is not None:
        address = KeySetAddress(client.jwks_url, settings.acquisition.ca_file, settings.acquisition.proxy)
        is_known = isinstance(known, KeyUrl) and known.address == address
        return known if known is not None and is_known else KeyUrl(client.name, address, observer=observer)
    if client.jwks_file is None:
        raise ConfigurationError(
            log_detail=f'clients.{index}.jwks_file: the public keys of "{client.name}" are missing'
        )
    try:
        return KeyFile(client.name, client.jwks_file, observer)
    except KeySetError as reason:
        raise ConfigurationError(log_detail=f"clients.{index}.jwks_file: {client.jwks_file}: {reason}") from None
