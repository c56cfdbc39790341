"""The mistakes in tokens of clients that docs/configuration-errors.md lists: `client check` says what stands there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from click.testing import CliRunner

from cds_service.cli.main import main
from tests.security import forge
from tests.security.forge import (
    ENDPOINT,
    ISSUER,
    LEFT_OUT,
    NOW,
    NOW_SECONDS,
    claims,
    ec_key,
    header,
    segment,
    signed,
    token,
)
from tests.support.configuration_errors import held, rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SECTION: Final = "Tokens of clients"
SITE: Final = f"""\
service: {{public_url: {forge.PUBLIC_URL}}}
clients:
  - name: main-ehr
    issuer: {ISSUER}
    jwks_file: ehr.json
    jku: ["{ISSUER}/jwks.json"]
    algorithms: [ES384]
    fhir_servers: ["{forge.FHIR_SERVER}"]
"""


def with_header(**changes: object) -> str:
    return signed(header(**changes), claims(), ec_key(), "ES384")


def unsigned() -> str:
    return f"{segment(header(alg='none'))}.{segment(claims())}."


def symmetric() -> str:
    return f"{segment(header(alg='HS256'))}.{segment(claims())}.{segment(b'x' * 32)}"


def sent(**changes: Any) -> Callable[[], str]:
    return lambda: token(**changes)


MISTAKES: Final[dict[str, Callable[[], str]]] = {
    "the token has expired": sent(iat=NOW_SECONDS - 9000, exp=NOW_SECONDS - 8900),
    "the clock of the EHR is ahead": sent(iat=NOW_SECONDS + 90, exp=NOW_SECONDS + 300),
    "times in milliseconds": sent(iat=NOW_SECONDS * 1000, exp=NOW_SECONDS * 1000 + 300_000),
    "the token lives for hours": sent(exp=NOW_SECONDS + 7200),
    "`aud` is the address without its path": sent(aud=forge.PUBLIC_URL),
    "`aud` ends with a slash": sent(aud=f"{ENDPOINT}/"),
    "`iss` is not as configured": sent(iss=f"{ISSUER}/"),
    "`jti` is missing": sent(jti=LEFT_OUT),
    "`kid` is missing": lambda: with_header(kid=LEFT_OUT),
    "`kid` is not in the key set": lambda: with_header(kid="of-last-year"),
    "signed by the key of another system": sent(key=ec_key("stranger")),
    "`alg` is none": unsigned,
    "`alg` is HS256": symmetric,
    "`jku` is another address": lambda: with_header(jku="https://elsewhere.example/keys"),
    "an access token in its place": lambda: with_header(typ="at+jwt"),
    "an opaque token in its place": lambda: "an-opaque-access-token",
    "Bearer twice": lambda: f"Bearer Bearer {token()}",
    "the token was broken into lines": lambda: f"Bearer {token()[:40]}\n{token()[40:]}",
    "the token stands in quotes": lambda: f'"{token()}"',
}


def test_every_row_of_the_tokens_is_tried_and_every_trial_stands_there() -> None:
    assert held(SECTION, MISTAKES) == set()


def checked(folder: Path, text: str) -> tuple[str, int]:
    """Return what `client check` says of a token, on one line, and its exit code."""
    (folder / "ehr.json").write_bytes(forge.key_set(forge.jwk(ec_key(), forge.EC_KID)))
    (folder / "sii-cds.yaml").write_text(SITE)
    arguments = ["client", "check", "-", "--config", str(folder / "sii-cds.yaml"), "--at", NOW.isoformat()]
    result = CliRunner().invoke(main, arguments, input=text)
    return " ".join(result.stdout.split()), result.exit_code


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake_in_a_token_is_told_as_the_page_says(mistake: str, tmp_path: Path) -> None:
    text = MISTAKES[mistake]()

    said, exit_code = checked(tmp_path, text)

    assert rows(SECTION)[mistake].message in said
    assert exit_code == 1
    assert not any(part in said for part in text.split(".") if len(part) > 24), "the token is never printed"
