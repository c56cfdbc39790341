"""sii-cds client check: which check of the service a captured token fails, and why. For IT, never for the caller."""

from __future__ import annotations

import codecs
import re
import textwrap
from datetime import UTC, datetime
from itertools import zip_longest
from typing import TYPE_CHECKING, BinaryIO, Final

import click

from cds_service.authorization.examination import examine
from cds_service.authorization.from_settings import authenticator_from_settings
from cds_service.authorization.refusals import Refusal
from cds_service.authorization.token import missing_claims, mistyped_claims
from cds_service.cli.options import USAGE, config_option, load_or_exit, moment_option
from cds_service.errors import ConfigurationError
from cds_service.reports.printable import printable
from cds_service.services.sii_recurrence_risk import SII_RECURRENCE_RISK
from cds_service.web.paths import DISCOVERY, feedback_path, service_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from cds_service.authorization.authenticator import Authenticator
    from cds_service.authorization.examination import Examination
    from cds_service.settings import Settings


ADVICE: Final[dict[Refusal, str]] = {
    Refusal.NO_AUTHORIZATION: (
        "There is no Authorization header. The EHR, or a proxy in between, does not send it: many proxies drop it "
        "unless told otherwise."
    ),
    Refusal.SEVERAL_AUTHORIZATIONS: "There are two Authorization headers. Find out which proxy adds the second one.",
    Refusal.NOT_BEARER: (
        'The header is not "Bearer", one space and one token. A DPoP or Basic header, a line break inside the token or '
        "a second value after it looks like this."
    ),
    Refusal.TOO_LARGE: "The token has more than 16,384 characters. Leave out what the EHR puts into it besides.",
    Refusal.MALFORMED: (
        "This is no signed JWT: three parts of base64url, of which the first two are JSON objects. An opaque access "
        "token, an encrypted token (five parts) or a token without a signature looks like this. Take it from the "
        "request to this service, not from a FHIR or OAuth request."
    ),
    Refusal.ISSUER: (
        "No client in the configuration has this `iss`. Set `issuer` of its entry to exactly this text: scheme, case "
        "and a slash at the end count. If the EHR is not entered yet, enter it under `clients`."
    ),
    Refusal.CRITICAL_HEADER: "The header has `crit` or `b64`, extensions that CDS Hooks does not use. Turn them off.",
    Refusal.TYPE: (
        "`typ` in the header is neither absent nor JWT. A token of type at+jwt is an access token, made for another "
        "purpose: the EHR must send a client token of CDS Hooks."
    ),
    Refusal.KEY_IN_HEADER: (
        "The header brings a key along (`jwk`) or its address (`x5u`). Neither is ever used. Turn it off: the keys are "
        "those of `jwks_file` or `jwks_url`."
    ),
    Refusal.ALGORITHM: (
        "`alg` is not one of the client's `algorithms`. Let the EHR sign with one of those, or add it to the entry: "
        "ES384 and RS384 are recommended by CDS Hooks. HS256 and none can never be allowed."
    ),
    Refusal.FOREIGN_JKU: (
        "`jku` in the header is not the agreed address. With `jwks_url` the two must be the same text; with "
        "`jwks_file` it must be one of those under `jku`, where any are listed. Check that the token comes from your "
        "EHR, then correct the entry."
    ),
    Refusal.KEY_ID: "The header has no `kid`, which CDS Hooks requires. Have it added on the EHR's side.",
    Refusal.KEYS_UNAVAILABLE: (
        "No keys of this client are at hand: its key server was not reached. Open `jwks_url` from this machine; behind "
        "a proxy or an own certificate authority set `acquisition.proxy` and `acquisition.ca_file`."
    ),
    Refusal.UNKNOWN_KEY: (
        "The key set holds no usable key with this `kid`. Ask the EHR for its present key set, or look whether its key "
        "was left out: RSA below 2,048 bits, a key for encryption, or a private key is never used."
    ),
    Refusal.KEY_MISMATCH: (
        "The key with this `kid` does not fit `alg`: an RSA key for RS and PS, an EC key on P-256, P-384 or P-521 for "
        "ES256, ES384 and ES512, and only one key of that kind for each `kid`."
    ),
    Refusal.SIGNATURE: (
        "The signature was not made with the key of this `kid`, or the token was changed afterwards. Mostly the key "
        "set here is of another system (test and production) than the one that signed."
    ),
    Refusal.CLAIM_MISSING: "One of `aud`, `exp`, `iat` and `jti` is missing. CDS Hooks requires all of them.",
    Refusal.CLAIM_TYPE: (
        "A claim has the wrong type: `exp`, `iat` and `nbf` are numbers of seconds (not texts, not milliseconds), "
        "`aud` is a text or a list of texts, `jti` a text that is not empty."
    ),
    Refusal.EXPIRED: (
        "The token is no longer valid. If it was sent to the service just now, the clocks differ: compare the time of "
        "the EHR with that of this machine. For an older token this is as it should be."
    ),
    Refusal.ISSUED_IN_FUTURE: (
        "`iat` lies in the future. It counts milliseconds where seconds are required, or the clock of the EHR is ahead "
        "of this machine by more than `authentication.leeway_seconds`: set both by NTP."
    ),
    Refusal.NOT_YET_VALID: "`nbf` lies in the future. Compare the clocks of the EHR and of this machine.",
    Refusal.LIFETIME: (
        "From `iat` to `exp` is longer than `authentication.max_lifetime_seconds`, or nothing. Have the EHR make "
        "shorter tokens; five minutes is what CDS Hooks recommends."
    ),
    Refusal.AUDIENCE: (
        "`aud` names none of this service's addresses: path and a slash at the end count. Either the EHR has another "
        "address for it, or "
        "`service.public_url` is not the address that the EHR uses. If the EHR sends a fixed text, enter it in "
        "`audiences` of the client."
    ),
    Refusal.REPLAYED: "A token with this `jti` was used before. The EHR must make a new token for each request.",
    Refusal.TENANT: "`tenant` is not one of the client's `tenants`, or missing while tenants are listed.",
    Refusal.TOO_MANY_FAILURES: (
        "Too many refused tokens came from the same address lately. Mend what the log said before that; the next good "
        "token is accepted within seconds."
    ),
}


# What of a token is shown: enough to compare with the configuration, nothing that identifies a person, and never the
# token itself.
_HEADER_SHOWN: Final = ("alg", "kid", "typ", "jku")
_CLAIMS_SHOWN: Final = ("iss", "aud", "iat", "exp", "nbf", "tenant")
_TIMES: Final = frozenset({"iat", "exp", "nbf"})
# As seconds this would be the year 5138.
_MILLISECONDS_FROM: Final = 100_000_000_000
_MOST_CHARACTERS: Final = 200
_LARGEST_FILE: Final = 1_000_000

# The name of the first check, as `examine` has it.
_FORM: Final = "form"
# What `{"` becomes: a token saved without its scheme, whose second line looks like a second word.
_JSON_IN_BASE64: Final = "eyJ"
_QUOTES: Final = ('"', "'", "\N{LEFT DOUBLE QUOTATION MARK}", "\N{RIGHT DOUBLE QUOTATION MARK}")
_FIELD: Final = re.compile(r"\s*authorization\s*:", re.IGNORECASE)
_SCHEME: Final = re.compile(r"\S+\s+\S")


@click.command("check", epilog="Example: sii-cds client check token.txt --config sii-cds.yaml")
@click.argument("file", type=click.File("rb"))
@moment_option("Check as of this moment")
@config_option
def check_command(file: BinaryIO, at: datetime, config_file: Path | None) -> None:
    """Tell which check a captured token fails, and what to do about it.

    FILE ("-" for standard input) holds the token, with or without "Authorization: Bearer" before it. The keys are read
    as the service reads them, so a `jwks_url` is asked. Neither the token nor its signature is printed; afterwards
    delete the file. Exit code 1 when the service would refuse the token.
    """
    settings = load_or_exit(config_file, status=USAGE)
    value = _field_value(_text(file.read(_LARGEST_FILE)))
    if not value:
        raise click.UsageError("the file is empty; it must hold the token that the EHR sent")
    if not settings.clients:
        raise click.UsageError("the configuration names no client, so there is nothing to check the token against")
    urls = endpoint_urls(settings)
    examination = examine(value, checking_authenticator(settings), urls, at.timestamp())
    lines = [*_told_by_token(examination, at), *_agreed(examination, settings, urls), *_findings(examination, value)]
    for line in lines:
        click.echo(line)
    if not examination.passed:
        raise click.exceptions.Exit(1)


def checking_authenticator(settings: Settings) -> Authenticator:
    """Build the service's own authenticator, also where the site does not require tokens yet. Exits 1 without keys."""
    required = settings.authentication.model_copy(update={"required": True})
    try:
        return authenticator_from_settings(settings.model_copy(update={"authentication": required}))
    except ConfigurationError as error:
        click.echo(error.log_detail, err=True)
        raise click.exceptions.Exit(1) from None


def endpoint_urls(settings: Settings) -> tuple[str, ...]:
    """Return the public URLs that a token may be made for; the hook's comes first."""
    paths = (service_path(SII_RECURRENCE_RISK.id), feedback_path(SII_RECURRENCE_RISK.id), DISCOVERY)
    return tuple(settings.service.public_url + path for path in paths)


def _findings(examination: Examination, value: str) -> Iterator[str]:
    """Say of each check whether it passes, and of one that does not what it means and what to do."""
    for finding in examination.findings:
        if finding.refusal is None:
            yield f"ok    {finding.check}"
        else:
            yield f"FAIL  {finding.check}: {finding.refusal}{_claims_named(examination, finding.refusal)}"
            yield from _wrapped(ADVICE[finding.refusal])
            if finding.check == _FORM:
                yield from (line for hint in _of_writing(value) for line in _wrapped(hint))
    if examination.passed:
        yield f"\nThe service accepts such a token at {', '.join(examination.endpoints)}, once: whether this one was"
        yield "used before, only the running service knows (its log says replayed)."
    else:
        yield "\nThe service refuses this token. The caller is told 401 and no reason; the log of the service has it."


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, 100, initial_indent="      ", subsequent_indent="      ")


def _of_writing(value: str) -> Iterator[str]:
    """Say what copying does to a token, and what a field of the EHR that is filled in wrongly does."""
    words = value.split()
    if [word.lower() for word in words[:2]] == ["bearer", "bearer"]:
        yield 'Here: "Bearer" stands twice. The EHR adds the word itself: enter the token without it.'
    elif len(words) > 2 or words[0].startswith(_JSON_IN_BASE64):
        yield "Here: the token is broken into several lines or words. If a mail or a terminal did that, join them."
    if any(mark in value for mark in _QUOTES):
        yield "Here: it stands in quotes. If they came with the copy, take them off; else the EHR must not send them."


def _claims_named(examination: Examination, refusal: Refusal) -> str:
    claims = examination.token.claims if examination.token is not None else {}
    match refusal:
        case Refusal.CLAIM_MISSING:
            return f" ({', '.join(missing_claims(claims))})"
        case Refusal.CLAIM_TYPE:
            return f" ({', '.join(mistyped_claims(claims))})"
        case Refusal.ISSUER if "iss" not in claims:
            return " (iss is missing)"
        case _:
            return ""


def _text(content: bytes) -> str:
    """Decode what an editor or a shell saved: Windows writes UTF-16, or a mark before UTF-8."""
    encoding = "utf-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    return content.decode(encoding, errors="replace")


def _field_value(text: str) -> str:
    """Take what follows "Authorization:", and add the scheme where only the token was saved."""
    value = _FIELD.sub("", text, count=1).strip()
    return value if not value or _SCHEME.match(value) else f"Bearer {value}"


def _told_by_token(examination: Examination, at: datetime) -> Iterator[str]:
    token = examination.token
    if token is not None:
        yield "The token says:"
        yield from _members(token.header, _HEADER_SHOWN, at)
        yield from _members(token.claims, _CLAIMS_SHOWN, at)


def _agreed(examination: Examination, settings: Settings, urls: tuple[str, ...]) -> Iterator[str]:
    client = examination.client
    if client is not None:
        yield f'Agreed with client "{client.name}":'
        yield f"  alg     {' or '.join(client.algorithms)}"
        for label, audience in zip_longest(("aud",), (*urls, *client.audiences), fillvalue="or"):
            yield f"  {label:<7} {audience}"
        in_file = " or ".join(client.named_key_sets) or "any, ignored: keys in a file"
        yield f"  jku     {client.key_set_url or in_file}"
        yield f"  tenant  {' or '.join(client.tenants) or 'any or none'}"
        yield ""
    elif examination.token is not None:
        yield f"Configured issuers: {', '.join(known.issuer for known in settings.clients)}"
        yield ""


def _members(part: Mapping[str, object], names: tuple[str, ...], at: datetime) -> Iterator[str]:
    for name in names:
        if name in part:
            yield f"  {name:<7} {_shown(name, part[name], at)}"


def _shown(name: str, value: object, at: datetime) -> str:
    text = printable(str(value))
    if len(text) > _MOST_CHARACTERS:
        text = f"{text[:_MOST_CHARACTERS]}…"
    if name not in _TIMES:
        return text
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"{text} (not a number)"
    if value > _MILLISECONDS_FROM:
        return f"{text} (milliseconds? It must be seconds)"
    try:
        moment = datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return f"{text} (not a time)"
    seconds = round((moment - at).total_seconds())
    relation = f"{abs(seconds)} s {'after' if seconds > 0 else 'before'} the moment of this check"
    return f"{text} ({moment:%Y-%m-%d %H:%M:%S} UTC, {relation})"
