"""What is derived from the secret of a launch, and that nothing else fits."""

from __future__ import annotations

import base64
import hashlib

from hypothesis import given
from hypothesis import strategies as st

from cds_service.smart.launch_secret import LaunchSecret, cookie_name, new_secret, secret_of


def test_everything_derived_differs_by_purpose_client_and_secret() -> None:
    secrets = [LaunchSecret(client, secret) for client in ("a", "ab", "b") for secret in ("x" * 43, "b" + "x" * 42)]

    derived = [text for s in secrets for text in (s.state, s.nonce, s.code_verifier)]
    assert len(set(derived)) == len(derived)
    assert {len(text) for text in derived} == {43}


def test_challenge_is_that_of_the_verifier() -> None:
    secret = new_secret("main-ehr")

    digest = hashlib.sha256(secret.code_verifier.encode()).digest()
    assert secret.code_challenge == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def test_secret_is_found_by_its_state_alone() -> None:
    secret = new_secret("main-ehr")
    cookies = {cookie_name(secret.state): secret.secret}

    assert secret_of("main-ehr", secret.state, cookies) == secret
    assert secret_of("other-ehr", secret.state, cookies) is None
    assert secret_of("main-ehr", secret.state[:-1] + ("A" if secret.state[-1] != "A" else "B"), cookies) is None


def test_secret_stands_in_no_text() -> None:
    secret = new_secret("main-ehr")

    assert secret.secret not in repr(secret)
    assert secret.secret not in f"{secret}"


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_state_and_cookie_that_are_made_up_fit(state: str, held: str) -> None:
    assert secret_of("main-ehr", state, {cookie_name(state): held}) is None
