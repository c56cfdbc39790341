"""What one key demands of another. Errors stop the start; cautions are printed and stay.

A rule names the keys it reads and is asked only when all of them are sound, so that one mistake is reported once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from cds_service.cards.wording import UNREVIEWED
from cds_service.clinical.evidence import PUBLISHED_CUTOFF
from cds_service.settings.address_rules import address_cautions
from cds_service.settings.clinical_content import PUBLISHED
from cds_service.settings.network import is_loopback, is_plain_http
from cds_service.settings.operations_content import EXAMPLE_PUBLIC_URL, FILL_IN_HOST
from cds_service.settings.smart_app_rules import smart_app_cautions, smart_app_problems
from cds_service.settings.time_zones import zone_caution

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cds_service.settings.errors import KeyPath
    from cds_service.settings.models import Settings

    Findings = Iterator[tuple[KeyPath, str]]

_REQUIRED: Final = ("authentication", "required")
_CONSENT: Final = "service.accept_unreviewed_language"
_UNREVIEWED_TEXTS: Final = "has texts that no clinician has reviewed yet"


@dataclass(frozen=True, slots=True)
class Rule:
    """A question about a configuration, and the keys (`section.key`, `clients`) it reads."""

    reads: tuple[str, ...]
    ask: Callable[[Settings], Findings]


def _somebody_may_call(settings: Settings) -> Findings:
    if settings.authentication.required and not settings.clients:
        yield (
            _REQUIRED,
            'true needs at least one client; add an entry under "clients" with the issuer and the keys of your EHR',
        )


def _open_on_loopback_only(settings: Settings) -> Findings:
    host = settings.server.host
    if not settings.authentication.required and not is_loopback(host):
        yield (
            _REQUIRED,
            f'false is accepted only when nobody but this machine can call; server.host is "{host}": '
            'set server.host to 127.0.0.1, or keep authentication on and add your EHR under "clients"',
        )


def _clients_have_keys(settings: Settings) -> Findings:
    if not settings.authentication.required:
        return
    for index, client in enumerate(settings.clients):
        if client.jwks_file is None and client.jwks_url is None:
            yield (
                ("clients", index, "jwks_file"),
                f'the public keys of "{client.name}" are missing; set jwks_file or jwks_url',
            )


def _clients_are_distinct(settings: Settings) -> Findings:
    for key in ("name", "issuer"):
        first: dict[str, int] = {}
        for index, client in enumerate(settings.clients):
            value = getattr(client, key)
            if first.setdefault(value, index) != index:
                yield ("clients", index, key), f'"{value}" is the {key} of clients.{first[value]} already'


def _pseudonyms_need_a_key(settings: Settings) -> Findings:
    if settings.audit.pseudonymize_patient and settings.audit.hmac_key_file is None:
        yield ("audit", "pseudonymize_patient"), "true needs audit.hmac_key_file, the key of the pseudonyms"


def _fhir_servers_are_secure(settings: Settings) -> Findings:
    allowed = {host.casefold() for host in settings.acquisition.allow_http_hosts}
    for index, client in enumerate(settings.clients):
        for place, server in enumerate(client.fhir_servers):
            if is_plain_http(server) and (urlsplit(server).hostname or "").casefold() not in allowed:
                yield (
                    ("clients", index, "fhir_servers", place),
                    "http is accepted on loopback only, and on hosts of acquisition.allow_http_hosts (trials); use "
                    "https",
                )


def _languages_are_reviewed(settings: Settings) -> Findings:
    if not settings.service.accept_unreviewed_language:
        for place, language, mode in _languages(settings):
            if mode != "silent":
                yield place, f'"{language}" {_UNREVIEWED_TEXTS}; use mode silent, or accept them: {_CONSENT}: true'


def _languages(settings: Settings) -> Iterator[tuple[KeyPath, str, str]]:
    """Yield each unreviewed language that somebody is shown, the key that chooses it, and in which mode."""
    service = settings.service
    modes = {client.mode or service.mode for client in settings.clients if client.language is None}
    if not settings.authentication.required or not settings.clients:
        modes.add(service.mode)
    if service.language in UNREVIEWED and modes:
        yield ("service", "language"), service.language, "active" if "active" in modes else "silent"
    for index, client in enumerate(settings.clients):
        if client.language in UNREVIEWED:
            yield ("clients", index, "language"), client.language, client.mode or service.mode


RULES: Final = (
    Rule(("authentication.required", "clients"), _somebody_may_call),
    Rule(("authentication.required", "server.host"), _open_on_loopback_only),
    Rule(("authentication.required", "clients"), _clients_have_keys),
    Rule(("clients",), _clients_are_distinct),
    Rule(("clients", "acquisition.allow_http_hosts"), _fhir_servers_are_secure),
    Rule(("clients",), smart_app_problems),
    Rule(
        (
            "service.language",
            "service.mode",
            "service.accept_unreviewed_language",
            "authentication.required",
            "clients",
        ),
        _languages_are_reviewed,
    ),
    Rule(("audit.pseudonymize_patient", "audit.hmac_key_file"), _pseudonyms_need_a_key),
)


def cautions(settings: Settings) -> Findings:
    """Yield what is allowed but probably not meant."""
    if settings.service.public_url == EXAMPLE_PUBLIC_URL:
        yield (
            ("service", "public_url"),
            "is the example address; set the one under which EHRs reach this service, or their tokens are refused",
        )
    if caution := zone_caution(settings.service.timezone):
        yield ("service", "timezone"), caution
    if not settings.authentication.required:
        yield _REQUIRED, "false lets everybody on this machine call the service; never use it with patients"
    if settings.rule.cutoff_source == PUBLISHED and settings.rule.cutoff != PUBLISHED_CUTOFF:
        yield (
            ("rule", "cutoff"),
            f"{settings.rule.cutoff} is not the published {PUBLISHED_CUTOFF}, yet rule.cutoff_source says "
            f'"{PUBLISHED}"; name the source of this value there',
        )
    if settings.acquisition.allow_http_hosts:
        yield (
            ("acquisition", "allow_http_hosts"),
            "tokens and patient data travel to these hosts in clear text; for trials only, never with patients",
        )
    for place, language, _ in _languages(settings):
        yield place, f'"{language}" {_UNREVIEWED_TEXTS}'
    yield from address_cautions(settings)
    yield from _client_cautions(settings)
    yield from smart_app_cautions(settings)


def _client_cautions(settings: Settings) -> Findings:
    for index, client in enumerate(settings.clients):
        for key, value in (("issuer", client.issuer), ("fhir_servers", " ".join(client.fhir_servers))):
            if FILL_IN_HOST in value:
                yield ("clients", index, key), f'is still to be filled in for "{client.name}"'
        if client.jwks_file is None and client.jwks_url is None:
            yield ("clients", index, "jwks_file"), f'"{client.name}" has no keys; set them before authentication is on'
        if client.open_fhir_server:
            yield (
                ("clients", index, "open_fhir_server"),
                "true fetches data without a token; for test systems only",
            )
        if not client.fhir_servers:
            yield (
                ("clients", index, "fhir_servers"),
                f'no FHIR server is listed for "{client.name}": data it does not prefetch cannot be fetched',
            )
