"""Attacks on the form of a token: header fields, sizes, segments, JSON, the members of the header."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cds_service.authorization.refusals import Refusal
from cds_service.errors import UnauthenticatedError
from tests.security import forge
from tests.security.forge import LEFT_OUT, claims, ec_key, header, segment, signed, token, unsigned

if TYPE_CHECKING:
    from collections.abc import Callable

    from cds_service.authorization.authenticator import Authenticator

CLIENT_TEXT = "Authentication is required."
ATTACKER = "https://attacker.example/jwks.json"


def bearer(text: str) -> list[str]:
    return [f"Bearer {text}"]


def head(**changes: Any) -> list[str]:
    """Signed with the right key: only the header is amiss."""
    return bearer(signed(header(**changes), claims(), ec_key(), "ES384"))


def attacker_head(**changes: Any) -> list[str]:
    """Signed with a key of the attacker's, to which the header leads."""
    return bearer(signed(header(**changes), claims(), ec_key("attacker"), "ES384"))


def body(payload: object) -> list[str]:
    return bearer(signed(header(), payload, ec_key(), "ES384"))


def attacker_jwk() -> dict[str, object]:
    return forge.jwk(ec_key("attacker"), forge.EC_KID)


def bloated(characters: int) -> list[str]:
    return bearer(token(note="x" * characters))


HEADER_FIELDS: list[tuple[str, Callable[[], list[str]], Refusal]] = [
    ("no Authorization at all", list, Refusal.NO_AUTHORIZATION),
    ("empty field", lambda: [""], Refusal.NOT_BEARER),
    ("scheme without a token", lambda: ["Bearer"], Refusal.NOT_BEARER),
    ("scheme and a space", lambda: ["Bearer "], Refusal.NOT_BEARER),
    ("Basic scheme", lambda: ["Basic dXNlcjpwYXNz"], Refusal.NOT_BEARER),
    ("a good token under another scheme", lambda: [f"DPoP {token()}"], Refusal.NOT_BEARER),
    ("a good token without a scheme", lambda: [token()], Refusal.NOT_BEARER),
    ("scheme run together with the token", lambda: [f"Bearer{token()}"], Refusal.NOT_BEARER),
    ("tabulator in place of the space", lambda: [f"Bearer\t{token()}"], Refusal.NOT_BEARER),
    ("text after a good token", lambda: [f"Bearer {token()} x"], Refusal.NOT_BEARER),
    ("line feed after a good token", lambda: [f"Bearer {token()}\n"], Refusal.NOT_BEARER),
    ("two fields, both good", lambda: bearer(token()) * 2, Refusal.SEVERAL_AUTHORIZATIONS),
    ("two fields, the first good", lambda: [*bearer(token()), "Basic eA=="], Refusal.SEVERAL_AUTHORIZATIONS),
    ("two fields joined by a proxy", lambda: bearer(f"{token()},Bearer {token()}"), Refusal.NOT_BEARER),
    ("two tokens joined by a comma", lambda: bearer(f"{token()},{token()}"), Refusal.MALFORMED),
    ("129 kB of a letter", lambda: bearer("a" * 129_000), Refusal.TOO_LARGE),
    ("signed, but 129 kB long", lambda: bloated(129_000), Refusal.TOO_LARGE),
    ("signed, but above the limit", lambda: bloated(16_384), Refusal.TOO_LARGE),
    ("not ASCII", lambda: bearer("ümlaut.ümlaut.ümlaut"), Refusal.MALFORMED),
    ("Arabic digits, which a regular expression may take for digits", lambda: bearer("١.٢.٣"), Refusal.MALFORMED),
    ("a zero byte", lambda: bearer(token() + "\0"), Refusal.MALFORMED),
]

SEGMENTS: list[tuple[str, Callable[[], list[str]], Refusal]] = [
    ("one segment", lambda: bearer(segment(claims())), Refusal.MALFORMED),
    ("no signature segment", lambda: bearer(unsigned(header(), claims())), Refusal.MALFORMED),
    ("empty signature", lambda: bearer(unsigned(header(), claims()) + "."), Refusal.MALFORMED),
    ("empty header segment", lambda: bearer("." + token().partition(".")[2]), Refusal.MALFORMED),
    ("detached payload", lambda: bearer("..".join(token().split(".")[::2])), Refusal.MALFORMED),
    ("four segments", lambda: bearer(token() + ".x"), Refusal.MALFORMED),
    ("five segments: an encrypted token", lambda: bearer(token() + ".x.x"), Refusal.MALFORMED),
    ("five dots", lambda: bearer("....."), Refusal.MALFORMED),
    ("letters outside base64url", lambda: bearer("a$b.c!d.e*f"), Refusal.MALFORMED),
    ("padded base64", lambda: bearer(token() + "=="), Refusal.MALFORMED),
    ("a length that base64 cannot have", lambda: bearer("AAAAA." + token().partition(".")[2]), Refusal.MALFORMED),
    ("JSON serialization", lambda: bearer('{"payload":"e30","signature":"x"}'), Refusal.MALFORMED),
    ("header is no JSON", lambda: bearer(signed(b"{alg", claims(), ec_key(), "ES384")), Refusal.MALFORMED),
    ("header is an array", lambda: bearer(signed([header()], claims(), ec_key(), "ES384")), Refusal.MALFORMED),
    ("claims are an array", lambda: body([claims()]), Refusal.MALFORMED),
    ("claims are null", lambda: body(None), Refusal.MALFORMED),
    ("claims are another token (nested JWS)", lambda: body(token().encode()), Refusal.MALFORMED),
    ("nested encrypted token", lambda: body(b"eyJhbGciOiJkaXIifQ..x.x.x"), Refusal.MALFORMED),
    ("NaN, which json.loads accepts", lambda: body(b'{"exp": NaN}'), Refusal.MALFORMED),
    ("Infinity, which json.loads accepts", lambda: body(b'{"exp": Infinity}'), Refusal.MALFORMED),
    ("a number beyond double precision", lambda: body(b'{"exp": 1e400}'), Refusal.MALFORMED),
    ("3,000 open brackets", lambda: body(b"[" * 3000), Refusal.MALFORMED),
    ("2,000 open objects in the header", lambda: bearer(segment(b'{"a":' * 2000) + ".e30.x"), Refusal.MALFORMED),
    ("a number of 9,000 digits", lambda: body(b'{"iss": ' + b"9" * 9000 + b"}"), Refusal.MALFORMED),
    ("UTF-16", lambda: body('{"iss": "x"}'.encode("utf-16")), Refusal.MALFORMED),
    ("bytes that are no UTF-8", lambda: body(b'{"iss": "\xff"}'), Refusal.MALFORMED),
    ("half a surrogate pair", lambda: body(b'{"iss": "\\ud800"}'), Refusal.MALFORMED),
]

HEADER_MEMBERS: list[tuple[str, Callable[[], list[str]], Refusal]] = [
    ("crit names an unknown extension", lambda: head(crit=["exp2"], exp2=1), Refusal.CRITICAL_HEADER),
    ("crit is empty", lambda: head(crit=[]), Refusal.CRITICAL_HEADER),
    ("crit is no list", lambda: head(crit="b64"), Refusal.CRITICAL_HEADER),
    ("payload not encoded (RFC 7797)", lambda: head(crit=["b64"], b64=False), Refusal.CRITICAL_HEADER),
    ("b64 without crit", lambda: head(b64=False), Refusal.CRITICAL_HEADER),
    ("an access token", lambda: head(typ="at+jwt"), Refusal.TYPE),
    ("an encrypted token's type", lambda: head(typ="JWE"), Refusal.TYPE),
    ("typ is null", lambda: head(typ=None), Refusal.TYPE),
    ("typ is a list", lambda: head(typ=["JWT"]), Refusal.TYPE),
    ("jwk: the attacker's key comes along", lambda: attacker_head(jwk=attacker_jwk()), Refusal.KEY_IN_HEADER),
    ("jwk beside a good signature", lambda: head(jwk=forge.jwk(ec_key(), "x")), Refusal.KEY_IN_HEADER),
    ("x5u: the attacker's certificate", lambda: attacker_head(x5u=ATTACKER), Refusal.KEY_IN_HEADER),
    ("x5c: certificates are not looked at", lambda: attacker_head(x5c=["MIIB"]), Refusal.SIGNATURE),
    ("foreign jku, attacker's key", lambda: attacker_head(jku=ATTACKER), Refusal.FOREIGN_JKU),
    ("foreign jku beside a good signature", lambda: head(jku=ATTACKER), Refusal.FOREIGN_JKU),
    ("jku whose host begins like ours", lambda: head(jku=f"{forge.ISSUER}.attacker.example/k"), Refusal.FOREIGN_JKU),
    ("jku with our host as user", lambda: head(jku=f"{forge.ISSUER}@attacker.example/k"), Refusal.FOREIGN_JKU),
    ("jku without TLS", lambda: head(jku="http://ehr.hospital.example/k"), Refusal.FOREIGN_JKU),
    ("jku on another port", lambda: head(jku=f"{forge.ISSUER}:8443/k"), Refusal.FOREIGN_JKU),
    ("jku is a file", lambda: head(jku="file:///etc/passwd"), Refusal.FOREIGN_JKU),
    ("jku is no address", lambda: head(jku="jwks.json"), Refusal.FOREIGN_JKU),
    ("jku that cannot be read", lambda: head(jku="https://[::1/k"), Refusal.FOREIGN_JKU),
    ("jku is null", lambda: head(jku=None), Refusal.FOREIGN_JKU),
    ("kid missing", lambda: head(kid=LEFT_OUT), Refusal.KEY_ID),
    ("kid empty", lambda: head(kid=""), Refusal.KEY_ID),
    ("kid is a number", lambda: head(kid=1), Refusal.KEY_ID),
    ("kid is a list", lambda: head(kid=[forge.EC_KID]), Refusal.KEY_ID),
    ("kid unknown", lambda: head(kid="ec-2027"), Refusal.UNKNOWN_KEY),
    ("kid in another case", lambda: head(kid=forge.EC_KID.upper()), Refusal.UNKNOWN_KEY),
    ("kid is a path", lambda: head(kid="../../dev/null"), Refusal.UNKNOWN_KEY),
    ("kid is a database query", lambda: head(kid="' UNION SELECT 'x'--"), Refusal.UNKNOWN_KEY),
]


@pytest.mark.parametrize(("reason", "attack", "expected"), HEADER_FIELDS + SEGMENTS + HEADER_MEMBERS)
def test_authenticate_malformed_token_is_refused_alike(
    reason: str, attack: Callable[[], list[str]], expected: Refusal, authenticator: Authenticator
) -> None:
    with pytest.raises(UnauthenticatedError) as caught:
        authenticator.authenticate(attack(), forge.ENDPOINT, forge.NOW)

    assert (caught.value.status, caught.value.client_text) == (401, CLIENT_TEXT), reason
    assert caught.value.log_detail.partition(" ")[0] == expected, reason
