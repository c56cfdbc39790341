"""No part of a token reaches a log, an exception or the disk."""

from __future__ import annotations

import logging
import traceback
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from cds_service.authorization.authenticator import Authenticator
from cds_service.authorization.clients import ClientTrust, TokenPolicy
from cds_service.authorization.token import read_token
from cds_service.errors import ServiceError
from tests.security import forge
from tests.security.forge import ENDPOINT, NOW, claims, ec_key, header, signed, token

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cds_service.state.used_tokens import UsedTokens

MARKER = "canary-5f1d"


def marked(head: dict[str, Any] | None = None, owner: str = "ehr", **body: Any) -> str:
    """Marker values wherever a token has room for one."""
    text = {"jti": MARKER, "sub": MARKER, "tenant": MARKER, "note": MARKER, **body}
    return signed({**header(cty=MARKER), **(head or {})}, claims(**text), ec_key(owner), "ES384")


REFUSED: list[tuple[str, Callable[[], str]]] = [
    ("no token at all", lambda: f"Bearer {MARKER}"),
    ("another scheme", lambda: f"Basic {MARKER}"),
    ("too large", lambda: f"Bearer {MARKER * 2000}"),
    ("not JSON", lambda: f"Bearer {forge.segment(MARKER.encode())}.{MARKER}.{MARKER}"),
    ("unknown issuer", lambda: f"Bearer {marked(iss=MARKER)}"),
    ("algorithm", lambda: f"Bearer {marked({'alg': MARKER})}"),
    ("type", lambda: f"Bearer {marked({'typ': MARKER})}"),
    ("critical header", lambda: f"Bearer {marked({'crit': [MARKER]})}"),
    ("key in the header", lambda: f"Bearer {marked({'jwk': {'kty': MARKER}})}"),
    ("jku", lambda: f"Bearer {marked({'jku': f'https://{MARKER}/'})}"),
    ("kid", lambda: f"Bearer {marked({'kid': MARKER})}"),
    ("header that the library dislikes", lambda: f"Bearer {marked({'x5t': [MARKER]})}"),
    ("signature", lambda: f"Bearer {marked(owner='attacker')}"),
    ("expired", lambda: f"Bearer {marked(exp=1, iat=0)}"),
    ("wrong type", lambda: f"Bearer {marked(exp=MARKER)}"),
    ("audience", lambda: f"Bearer {marked(aud=MARKER)}"),
    ("tenant", lambda: f"Bearer {marked()}"),
]


def texts_of(error: BaseException | None) -> str:
    """All that could be printed of an exception and of those before it."""
    found = ""
    while error is not None:
        found += f"{error} {error!r} {vars(error)} {''.join(traceback.format_exception(error))}"
        error = error.__cause__ or error.__context__
    return found


@pytest.mark.parametrize(("reason", "make"), REFUSED)
def test_authenticate_refusal_holds_nothing_of_the_token(
    reason: str, make: Callable[[], str], main_ehr: ClientTrust, replay: UsedTokens, caplog: pytest.LogCaptureFixture
) -> None:
    authenticator = Authenticator([replace(main_ehr, tenants=("north",))], TokenPolicy(), replay)
    value = make()

    with caplog.at_level(logging.DEBUG), pytest.raises(ServiceError) as caught:
        authenticator.authenticate([value], ENDPOINT, NOW)

    printed = texts_of(caught.value) + caplog.text
    assert MARKER not in printed, reason
    assert not any(part in printed for part in value.partition(" ")[2].split(".") if len(part) > 8), reason


def test_authenticate_state_store_failure_holds_nothing_of_the_token(
    authenticator: Authenticator, state_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    state_file.write_text("this is no database, and long enough to be taken for one" * 100)

    with caplog.at_level(logging.DEBUG), pytest.raises(ServiceError) as caught:
        authenticator.authenticate([f"Bearer {marked()}"], ENDPOINT, NOW)

    assert MARKER not in texts_of(caught.value) + caplog.text


def test_authenticate_database_holds_nothing_of_the_token(authenticator: Authenticator, state_file: Path) -> None:
    text = marked()
    authenticator.authenticate([f"Bearer {text}"], ENDPOINT, NOW)

    written = b"".join(path.read_bytes() for path in state_file.parent.glob("state.db*"))
    assert b"used_token" in written
    assert MARKER.encode() not in written
    assert not any(part.encode() in written for part in text.split("."))


def test_read_token_repr_shows_nothing_of_the_token() -> None:
    text = token(sub=MARKER)

    shown = repr(read_token([f"Bearer {text}"]))

    assert MARKER not in shown
    assert not any(part in shown for part in text.split("."))
