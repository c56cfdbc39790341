"""How a token is read: base64url as an independent reader reads it, and headers that are remembered once proved."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cds_service.authorization.refusals import Refusal
from cds_service.authorization.token import HEADERS_KEPT, read_token
from cds_service.errors import UnauthenticatedError
from tests.security.forge import ENDPOINT, NOW, claims, ec_key, header, segment, signed, token

if TYPE_CHECKING:
    from cds_service.authorization.authenticator import Authenticator
    from cds_service.authorization.clients import ClientTrust

# What base64url allows, and what a careless reader of base64 takes, skips or stops at.
_TEXTS = st.text(st.sampled_from('AZaz09-_+/=!".\\ \t\n\0é') | st.characters(), max_size=12) | st.from_regex(
    r"[A-Za-z0-9_-]{0,12}", fullmatch=True
)


def independently(text: str) -> bytes | None:
    """Read base64url without padding as RFC 7515 appendix C does; None when it is none."""
    if not re.fullmatch(r"[A-Za-z0-9_-]+", text, re.ASCII) or len(text) % 4 == 1:
        return None
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@given(_TEXTS)
def test_read_token_signature_is_read_as_base64url_or_refused(text: str) -> None:
    start = f"{segment(header())}.{segment(claims())}"
    expected = independently(text)

    if expected is None:
        with pytest.raises(UnauthenticatedError):
            read_token([f"Bearer {start}.{text}"])
    else:
        read = read_token([f"Bearer {start}.{text}"])
        assert (read.signed, read.signature) == (start.encode(), expected)


@given(_TEXTS)
def test_read_token_text_in_any_segment_never_moves_the_others(text: str) -> None:
    assume(not (independently(text) or b"").lstrip().startswith(b"{"))
    for value in (f"{text}.{segment(claims())}.AAAA", f"{segment(header())}.{text}.AAAA"):
        with pytest.raises(UnauthenticatedError):
            read_token([f"Bearer {value}"])


def test_read_token_repr_shows_nothing_of_it() -> None:
    text = token()

    assert not any(part in repr(read_token([f"Bearer {text}"])) for part in (*text.split("."), "token-1", "ES384"))


def test_authenticate_header_proved_once_saves_no_check(authenticator: Authenticator, main_ehr: ClientTrust) -> None:
    authenticator.authenticate([f"Bearer {token()}"], ENDPOINT, NOW)
    assert len(main_ehr.proved_headers) == 1

    forged = token(key=ec_key("attacker"))
    with pytest.raises(UnauthenticatedError, match=Refusal.SIGNATURE):
        authenticator.authenticate([f"Bearer {forged}"], ENDPOINT, NOW)


def test_authenticate_headers_of_forged_tokens_are_not_kept(
    authenticator: Authenticator, main_ehr: ClientTrust
) -> None:
    forged = signed(header(note="made up"), claims(), ec_key("attacker"), "ES384")
    with pytest.raises(UnauthenticatedError, match=Refusal.SIGNATURE):
        authenticator.authenticate([f"Bearer {forged}"], ENDPOINT, NOW)

    assert not main_ehr.proved_headers, "or anybody could fill the place for them"


def test_authenticate_more_headers_than_are_kept_are_accepted_as_ever(
    authenticator: Authenticator, main_ehr: ClientTrust
) -> None:
    for number in range(HEADERS_KEPT + 3):
        text = signed(header(note=number), claims(jti=f"id-{number}"), ec_key(), "ES384")
        assert authenticator.authenticate([f"Bearer {text}"], ENDPOINT, NOW).name == "main-ehr"

    assert len(main_ehr.proved_headers) == HEADERS_KEPT
