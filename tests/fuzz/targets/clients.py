"""What clients send besides charts: tokens and feedback."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cds_service.authorization.authenticator import Authenticator
from cds_service.authorization.clients import ClientTrust, TokenPolicy, TrustedClient
from cds_service.authorization.key_file import KeyFile
from cds_service.errors import ForbiddenError, MalformedRequestError, UnauthenticatedError
from cds_service.hooks.feedback import parse_feedback
from cds_service.state.used_tokens import UsedTokens
from tests.fuzz.mutations import ODD_DATES
from tests.fuzz.targets.strictness import NotJSONError, holds_huge_number, is_comparable, repeats_a_member, strict_json
from tests.security import forge
from tests.support import openapi

if TYPE_CHECKING:
    from cds_service.authorization.token import TokenUse

_ALGORITHM = "ES256"
_TENANT = "north"


class _Forgetful(UsedTokens):
    """Takes every token for a new one: the fuzzer sends the same again and again, and replay has tests of its own."""

    def is_first_use(self, _use: TokenUse, _now: float) -> bool:
        """Say yes."""
        return True


@cache
def _authenticator() -> Authenticator:
    folder = Path(tempfile.mkdtemp(prefix="sii-cds-fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "keys.json").write_bytes(forge.key_set(forge.jwk(forge.ec_key(algorithm=_ALGORITHM), forge.EC_KID)))
    rights = TrustedClient("ehr", forge.ISSUER, "active")
    keys, named = KeyFile("ehr", folder / "keys.json"), forge.NAMED_KEY_SETS
    client = ClientTrust(forge.ISSUER, keys, (_ALGORITHM,), rights, tenants=(_TENANT,), named_key_sets=named)
    return Authenticator([client], TokenPolicy(), _Forgetful(f"sqlite:///{folder}/state.db"))


def token_seeds() -> list[bytes]:
    """Return headers with claims. They are signed by the client's own key, so that what they say decides."""
    head, body = forge.header(_ALGORITHM), forge.claims(tenant=_TENANT)
    changes: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({}, {}), ({"alg": "none"}, {}), ({"jku": "https://x"}, {}), ({"jku": forge.NAMED_KEY_SETS[0]}, {}),
        ({"crit": ["b64"]}, {}), ({"kid": ""}, {}),
        ({}, {"aud": [forge.ENDPOINT, "x"]}), ({}, {"exp": 1e300}), ({}, {"tenant": ["north"]}), ({}, {"nbf": 0}),
        ({}, {"iat": True}), ({}, {"jti": ""}), ({"typ": "jwt"}, {"sub": 5}),
    ]  # fmt: skip
    return [json.dumps({"header": head | h, "claims": body | c}).encode() for h, c in changes] + [b"Bearer a.b.c"]


def check_token(data: bytes) -> None:
    """Sign what is there and ask; the answer is yes exactly when every rule of the agreement is kept."""
    try:
        seen = json.loads(data)
        head, body = seen["header"], seen["claims"]
        token = forge.signed(head, body, forge.ec_key(algorithm=_ALGORITHM), _ALGORITHM)
        token.encode("ascii")
    except (ValueError, KeyError, TypeError, RecursionError):
        _check_refused(data.decode("latin-1"))
        return
    if not is_comparable(seen):
        return
    try:
        client = _authenticator().authenticate([f"Bearer {token}"], forge.ENDPOINT, forge.NOW)
    except ForbiddenError:
        assert body.get("tenant") != _TENANT
        return
    except UnauthenticatedError:
        assert len(token) >= 16_000 or not _keeps_agreement(head, body), "refused without a reason"
        return
    assert client.name == "ehr"
    assert _keeps_agreement(head, body)
    assert body["tenant"] == _TENANT


def _check_refused(text: str) -> None:
    for value in (text, f"Bearer {text}"):
        try:
            _authenticator().authenticate([value], forge.ENDPOINT, forge.NOW)
        except UnauthenticatedError:
            continue
        raise AssertionError("a token that was not signed")


def _keeps_agreement(head: Any, body: Any) -> bool:
    if not isinstance(head, dict) or not isinstance(body, dict):
        return False
    now, text = forge.NOW.timestamp(), json.dumps([head, body])
    times: list[Any] = [body.get("iat"), body.get("exp"), body.get("nbf", 0)]
    if not all(_is_time(value) for value in times):
        return False
    issued, expires, begins = times
    audience = body.get("aud")
    listed = audience if isinstance(audience, list) else [audience]
    return all(
        [
            "NaN" not in text and "Infinity" not in text,
            head.get("alg") == _ALGORITHM and head.get("kid") == forge.EC_KID,
            isinstance(head.get("typ", "JWT"), str) and str(head.get("typ", "JWT")).casefold() == "jwt",
            not {"crit", "b64", "jwk", "x5u"} & set(head),
            "jku" not in head or head["jku"] in forge.NAMED_KEY_SETS,
            body.get("iss") == forge.ISSUER,
            all(isinstance(item, str) for item in listed) and forge.ENDPOINT in listed,
            isinstance(body.get("jti"), str) and body["jti"] != "",
            now < expires + 60 and issued <= now + 60 and 0 < expires - issued <= 900 and begins <= now + 60,
        ]
    )


def _is_time(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 2**53


def feedback_seeds() -> list[bytes]:
    """Return batches as clients send them."""
    good = {"card": "1", "outcome": "accepted", "outcomeTimestamp": "2026-03-14T01:00:00Z"}
    reason = {"reason": {"code": "x", "system": "y"}, "userComment": "z"}
    items = [
        good, good | {"outcome": "overridden", "overrideReason": reason}, good | {"overrideReasons": {"code": "x"}},
        good | {"overrideReason": {"extension": {"com.epic.cdshooks.feedback.overrideReason.Category": 5}}},
        good | {"acceptedSuggestions": [{"id": "1"}]}, good | {"card": " "}, 5,
        *(good | {"outcomeTimestamp": odd} for odd in ODD_DATES),
    ]  # fmt: skip
    return [json.dumps({"feedback": [item]}).encode() for item in items] + [json.dumps({"feedback": items}).encode()]


def check_feedback(data: bytes) -> None:
    """Read feedback; an item is kept exactly when it keeps to the published schema."""
    try:
        seen = strict_json(data)
    except NotJSONError:
        return
    if not is_comparable(seen) or holds_huge_number(seen) or repeats_a_member(seen):
        return
    try:
        batch = parse_feedback(data)
    except MalformedRequestError:
        assert not isinstance(seen, dict) or not isinstance(seen.get("feedback"), list)
        return
    valid = [item for item in seen["feedback"] if openapi.schema_named("Feedback").is_valid(item)]
    assert len(batch.items) + len(batch.problems) == len(seen["feedback"])
    assert [item.card for item in batch.items] == [item["card"] for item in valid], batch.problems
    assert all(item.outcome_at.tzinfo is not None for item in batch.items)
