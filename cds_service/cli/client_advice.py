"""What each refusal means and what to do about it, in words for those who connect an EHR."""

from __future__ import annotations

from typing import Final

from cds_service.authorization.refusals import Refusal

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
        "`aud` names none of this service's addresses. Either the EHR has another address for it, or "
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
