"""What `sii-cds client test` tries, one line for each: what worked, what did not, and what to do then."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import click
import requests

from cds_service.authorization.examination import examine
from cds_service.cli.client_check import ADVICE, checking_authenticator, endpoint_urls
from cds_service.outgoing import closed_session, is_answer_of_tls, is_closed_unanswered, is_plain_answer
from cds_service.services.sii_recurrence_risk import SII_RECURRENCE_RISK
from cds_service.web.paths import DISCOVERY, service_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cds_service.cli.client_keys import TestKeys
    from cds_service.settings import Settings


_SECONDS: Final = 10.0
_PATIENT: Final = "sii-cds-client-test"


class CallError(Exception):
    """No answer came; the text says what to look at."""


@dataclass(frozen=True)
class Reply:
    """An answer of the service: status, body as text and as JSON (None where it is none), and its time."""

    status: int
    text: str
    content: Any
    date: datetime | None
    challenge: str | None


@dataclass(frozen=True)
class Caller:
    """Calls one service by the address at which it is reached. A redirect counts as an answer: EHRs do not follow."""

    address: str
    ca_file: Path | None

    def get(self, path: str, token: str | None) -> Reply:
        """Ask for a page. Raises CallError."""
        return self._call("GET", path, token, None)

    def hook(self, path: str, token: str | None) -> Reply:
        """Send a hook for a patient who does not exist, with everything prefetched. Raises CallError."""
        return self._call("POST", path, token, _hook_body())

    def _call(self, method: str, path: str, token: str | None, body: object) -> Reply:
        headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        try:
            with closed_session(self.ca_file) as session:
                response = session.request(method, self.address + path, headers=headers, json=body, timeout=_SECONDS)
        except requests.RequestException as error:
            raise CallError(_why(error)) from None
        return _reply(response)


def _reply(response: requests.Response) -> Reply:
    try:
        content = response.json()
    except ValueError:
        content = None
    try:
        date = parsedate_to_datetime(response.headers["Date"])
    except (KeyError, ValueError):
        date = None
    return Reply(response.status_code, response.text, content, date, response.headers.get("WWW-Authenticate"))


def _why(error: requests.RequestException) -> str:
    if is_plain_answer(error):
        return (
            "the port speaks http, not https: a proxy in front of the service is to end TLS. Name the address of that "
            "proxy, or, from this host, the service itself with --url http://."
        )
    if is_answer_of_tls(error):
        return "the port speaks https, not http: write https:// in the address."
    match error:
        case requests.exceptions.SSLError():
            return (
                "TLS failed: the certificate is not trusted here, or does not name this host. With an own certificate "
                "authority set acquisition.ca_file; EHRs need to trust it too."
            )
        case requests.Timeout():
            return (
                f"no answer within {_SECONDS:.0f} s: a firewall that drops, or a proxy that does not reach the service."
            )
        case requests.ConnectionError() if is_closed_unanswered(error):
            return (
                "the connection was closed without an answer: nothing listens there any more, or the port speaks https "
                "(write https:// in the address), or a firewall or a proxy closed it."
            )
        case requests.ConnectionError():
            return "its name is not known, or nothing listens there: start the service, or name its address with --url."
        case _:
            return f"the call could not be made ({type(error).__name__}); check the address."


def _hook_body() -> dict[str, Any]:
    empty = {"resourceType": "Bundle", "type": "searchset", "total": 0}
    prefetched = dict.fromkeys(("bloodCounts", "albumin", "conditions", "procedures"), empty)
    return {
        "hook": "patient-view",
        "hookInstance": str(uuid4()),
        "context": {"userId": "Practitioner/sii-cds-client-test", "patientId": _PATIENT},
        "prefetch": {"patient": {"resourceType": "Patient", "id": _PATIENT}, **prefetched},
    }


HOOK_PATH: Final = service_path(SII_RECURRENCE_RISK.id)
# Beyond it a token of two minutes may be refused for its times.
_CLOCKS_DIFFER_SECONDS: Final = 60

_REPLAY: Final = "the same token once more (replay)"
_ANSWERED: Final = (
    "The service does not check tokens: authentication.required is false there, or something in between adds a token. "
    "Connect no EHR before this is mended."
)
_ANSWERED_TWICE: Final = (
    "The service does not check tokens, or several hosts answer here that do not share their state: then state.url "
    "must name one PostgreSQL database for all of them."
)
_OTHER_STATUS: Final = {
    403: "The client is known but not allowed to do this.",
    404: "The service is not at this address: a proxy changes the path, or the address lacks its prefix.",
    405: "A proxy in between does not let POST through.",
    503: "The service cannot answer now: ask its /readyz, which names the state store or the audit log.",
}


@dataclass
class Proof:
    """What was tried so far, printed as it comes."""

    failed: int = 0
    advised: set[tuple[str, ...]] = field(default_factory=set)
    refusals: list[Reply] = field(default_factory=list)

    def ok(self, what: str) -> None:
        """Print what worked."""
        click.echo(f"ok    {what}")

    def fail(self, what: str, *advice: str) -> None:
        """Print what did not work, and what to do."""
        self.failed += 1
        click.echo(f"FAIL  {what}")
        told = ("(for the same reason)",) if advice in self.advised else advice
        self.advised.add(advice)
        for text in told:
            click.echo(textwrap.fill(text, 100, initial_indent="      ", subsequent_indent="      "))


def is_reached(proof: Proof, caller: Caller) -> bool:
    """Ask for discovery without a token; tell whether this service answered."""
    try:
        reply = caller.get(DISCOVERY, None)
    except CallError as error:
        proof.fail(f"{caller.address} is not reached", str(error))
        return False
    services = reply.content.get("services") if isinstance(reply.content, dict) else None
    if reply.status != 200 or not isinstance(services, list):
        proof.fail(f"{caller.address}{DISCOVERY} is not this service", _of_status(reply))
        return False
    proof.ok("the service is reached, and discovery answers without a token")
    return True


def prove(proof: Proof, caller: Caller, keys: TestKeys, settings: Settings, *, is_entered: bool) -> None:
    """Send good tokens, if the service can know them, and bad ones."""
    audience = settings.service.public_url
    try:
        if is_entered:
            good = keys.token(audience + HOOK_PATH)
            _expect_answer(proof, settings, "discovery with a good token", caller.get, keys.token(audience + DISCOVERY))
            if _expect_answer(proof, settings, "a hook with a good token", caller.hook, good):
                _expect_refusal(proof, caller, _REPLAY, good)
        for what, token in _bad_tokens(keys, audience):
            _expect_refusal(proof, caller, what, token)
    except CallError as error:
        proof.fail("the service stopped answering", str(error))
        return
    alike = {(reply.text, reply.challenge) for reply in proof.refusals}
    if len(alike) > 1:
        proof.fail("the refusals differ, so a caller learns the reason", "Something in between rewrites answers.")
    elif proof.refusals:
        proof.ok("all refusals are alike: a caller learns no reason")


def _bad_tokens(keys: TestKeys, audience: str) -> Iterator[tuple[str, str | None]]:
    url = audience + HOOK_PATH
    good = keys.token(url)
    yield "no token", None
    yield "a token signed by another key", keys.token(url, key=keys.stranger())
    yield "a token without a signature", good.rpartition(".")[0] + "."
    yield "a token made for another address", keys.token("https://elsewhere.invalid")
    yield "a token that expired", keys.token(url, iat=0, exp=120)
    yield "a token of another issuer", keys.token(url, iss="https://nobody.invalid")


def _expect_answer(
    proof: Proof, settings: Settings, what: str, call: Callable[[str, str | None], Reply], token: str
) -> bool:
    is_hook = "hook" in what
    reply = call(HOOK_PATH if is_hook else DISCOVERY, token)
    wanted = "cards" if is_hook else "services"
    if reply.status == 200 and isinstance(reply.content, dict) and wanted in reply.content:
        proof.ok(f"{what} is answered")
        return True
    if reply.status == 401:
        proof.fail(f"{what} is refused (401)", *_why_refused(settings, token, reply))
    else:
        proof.fail(f"{what}: status {reply.status}", _of_status(reply))
    return False


def _expect_refusal(proof: Proof, caller: Caller, what: str, token: str | None) -> None:
    reply = caller.hook(HOOK_PATH, token)
    if reply.status == 401:
        proof.ok(f"{what}: refused")
        proof.refusals.append(reply)
    elif reply.status == 200:
        proof.fail(f"{what}: ANSWERED", _ANSWERED_TWICE if what == _REPLAY else _ANSWERED)
    else:
        proof.fail(f"{what}: status {reply.status} in place of 401", _of_status(reply))


def _why_refused(settings: Settings, token: str, reply: Reply) -> Iterator[str]:
    """Put the token through the service's checks here: what fails is the reason, else the service is not as here."""
    now = datetime.now(UTC)
    apart = abs((now - reply.date).total_seconds()) if reply.date is not None else 0.0
    if apart > _CLOCKS_DIFFER_SECONDS:
        yield f"The clocks of the service and of this machine differ by {apart:.0f} s: set both by NTP."
    authenticator = checking_authenticator(settings)
    examination = examine(f"Bearer {token}", authenticator, endpoint_urls(settings), now.timestamp())
    failing = [finding.refusal for finding in examination.findings if finding.refusal is not None]
    if failing:
        yield from (f"{refusal}: {ADVICE[refusal]}" for refusal in failing)
        return
    yield (
        "With the configuration read here the token is good, so the service runs with another one: it was started "
        "with another file, refused the change (look for reload in its log, and run sii-cds config check), or has "
        "another public_url. Its log names the reason beside status 401."
    )


def _of_status(reply: Reply) -> str:
    if reply.status == 400 and "https" in reply.text.lower():
        return "The port speaks https, not http: write https:// in the address."
    if 300 <= reply.status < 400:
        return "A proxy redirects. EHRs do not follow: give them, and service.public_url, the final address."
    return _OTHER_STATUS.get(
        reply.status, "Look for this request in the log of the service, and of the proxy before it."
    )
