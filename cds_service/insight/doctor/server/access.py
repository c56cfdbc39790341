"""From what the user named to an examiner of a FHIR server, with the site's limits, certificates and proxy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from cds_service.acquisition.fhir.exchange import Exchanger
from cds_service.acquisition.from_settings import fetching_from_settings, http_options
from cds_service.decision.site import site_from_settings
from cds_service.insight.doctor.server.connection import Connection, TokenError, TokenSource
from cds_service.insight.doctor.server.examine import Examiner
from cds_service.insight.doctor.server.tokens import BackendServices, FileToken, OpenServer, read_client
from cds_service.services.sii_recurrence_risk import SII_RECURRENCE_RISK

if TYPE_CHECKING:
    from pathlib import Path

    from cds_service.insight.doctor.evidence import Options
    from cds_service.settings.models import Settings

# What one hook asks for at a time, of both strategies.
_THREADS: Final = 5


class CredentialsError(Exception):
    """The options contradict each other, or a file of them cannot be used. The text is one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A FHIR server and the access to it: nothing, a token in a file, or a client of SMART Backend Services."""

    fhir_server: str
    token_file: Path | None = None
    client_id: str | None = None
    key_file: Path | None = None
    key_id: str | None = None
    token_url: str | None = None
    scope: str | None = None


def open_server(credentials: Credentials, settings: Settings, options: Options) -> Examiner:
    """Return the examiner; nothing is sent yet. Raises CredentialsError, ConfigurationError or SettingsError."""
    site = site_from_settings(settings, SII_RECURRENCE_RISK)
    fetching = fetching_from_settings(settings, site.mappings, _THREADS)
    tokens = _tokens(credentials, Exchanger(http_options(settings), connections=1))
    return Examiner(Connection(credentials.fhir_server, tokens, fetching.fetcher), fetching, site, options)


def _tokens(credentials: Credentials, exchanger: Exchanger) -> TokenSource:
    client = (credentials.client_id, credentials.key_file)
    rest = (credentials.key_id, credentials.token_url, credentials.scope)
    if credentials.token_file is not None:
        if any((*client, *rest)):
            raise CredentialsError("name either --token-file, or --client-id with --key-file")
        return FileToken(credentials.token_file)
    if credentials.client_id is None or credentials.key_file is None:
        if any((*client, *rest)):
            raise CredentialsError("SMART Backend Services needs both --client-id and --key-file")
        return OpenServer()
    try:
        backend = read_client(credentials.client_id, credentials.key_file, credentials.key_id)
    except TokenError as error:
        raise CredentialsError(str(error)) from None
    return BackendServices(
        backend,
        exchanger,
        base=credentials.fhir_server,
        token_url=credentials.token_url,
        scope=credentials.scope,
        new_uuid=lambda: str(uuid4()),
    )
