"""Which check of the service a token fails, for the people who connect an EHR. The checks are the service's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cds_service.authorization.refusals import Refusal
from cds_service.authorization.token import (
    check_claims,
    check_header,
    check_signature,
    check_tenant,
    is_time,
    read_token,
)
from cds_service.errors import TrustError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cds_service.authorization.authenticator import Authenticator
    from cds_service.authorization.clients import ClientTrust
    from cds_service.authorization.token import UnverifiedToken

# A captured token is mostly too old by the time somebody looks at it; what else is wrong with it matters more.
_OF_TIME: Final = frozenset({Refusal.EXPIRED, Refusal.ISSUED_IN_FUTURE, Refusal.NOT_YET_VALID})


@dataclass(frozen=True, slots=True)
class Finding:
    """One check, and the reason for which it refuses the token, None where it passes."""

    check: str
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found, in the order of the checks. A check that needs one which failed is left out.

    `endpoints` are those that the token is made for, by their public URL.
    """

    findings: tuple[Finding, ...]
    token: UnverifiedToken | None = None
    client: ClientTrust | None = None
    endpoints: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the service would accept the token, if it was not used before."""
        return all(finding.refusal is None for finding in self.findings)


def examine(value: str, authenticator: Authenticator, endpoint_urls: Sequence[str], now: float) -> Examination:
    """Put the value of an Authorization field through the checks; `now` is in seconds since 1970.

    Nothing is remembered and nothing counted, so whether the token was used before is not known.
    """
    findings: list[Finding] = []
    try:
        token = read_token([value])
    except TrustError as refused:
        return Examination((Finding("form", Refusal(refused.reason)),))
    findings.append(Finding("form"))
    try:
        client = authenticator.client_of(token.claims)
    except TrustError as refused:
        return Examination((*findings, Finding("issuer", Refusal(refused.reason))), token)
    findings += [Finding("issuer"), _finding("header", lambda: check_header(token.header, client))]
    if findings[-1].refusal is None:
        findings.append(_finding("signature", lambda: check_signature(token, client)))
    endpoints, of_claims = _claims(token.claims, client, authenticator, endpoint_urls, now)
    findings += [*of_claims, _finding("tenant", lambda: check_tenant(token.claims, client))]
    return Examination(tuple(findings), token, client, endpoints)


def _finding(check: str, make: Callable[[], object]) -> Finding:
    try:
        make()
    except TrustError as refused:
        return Finding(check, Refusal(refused.reason))
    return Finding(check)


def _claims(
    claims: Mapping[str, object],
    client: ClientTrust,
    authenticator: Authenticator,
    endpoint_urls: Sequence[str],
    now: float,
) -> tuple[tuple[str, ...], list[Finding]]:
    """Check the claims for each endpoint: it is not known which one the token was sent to."""

    def check_at(url: str, moment: float) -> Finding:
        return _finding("claims", lambda: check_claims(claims, client, url, moment, authenticator.policy))

    by_url = {url: check_at(url, now) for url in endpoint_urls}
    first = next(iter(by_url.values()))
    if first.refusal not in _OF_TIME:
        return _chosen(by_url)
    then = _when_it_was_good(claims, now)
    endpoints, others = _chosen({url: check_at(url, then) for url in endpoint_urls})
    return endpoints, [Finding("time", first.refusal), *others]


def _when_it_was_good(claims: Mapping[str, object], now: float) -> float:
    issued: Any = claims.get("iat")
    if not is_time(issued):
        return now
    expires: Any = claims.get("exp")
    not_before: Any = claims.get("nbf")
    is_later = is_time(not_before) and is_time(expires) and issued < not_before < expires
    return float(not_before if is_later else issued)


def _chosen(by_url: Mapping[str, Finding]) -> tuple[tuple[str, ...], list[Finding]]:
    endpoints = tuple(url for url, finding in by_url.items() if finding.refusal is None)
    return endpoints, [Finding("claims")] if endpoints else [next(iter(by_url.values()))]
