"""sii-cds client check: the failing check is named, the sentence helps, and nothing secret is printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from cds_service.authorization.refusals import Refusal
from cds_service.cli.client_check import ADVICE
from cds_service.cli.main import main
from tests.security import forge
from tests.security.forge import ENDPOINT, ISSUER, LEFT_OUT, NOW, NOW_SECONDS, claims, ec_key, header, signed, token

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

SITE = f"""\
service: {{public_url: {forge.PUBLIC_URL}, timezone: Asia/Shanghai}}
clients:
  - name: main-ehr
    issuer: {ISSUER}
    jwks_file: ehr.json
    jku: ["https://ehr.hospital.example/keys"]
    algorithms: [ES384]
    tenants: [north]
    fhir_servers: ["{forge.FHIR_SERVER}"]
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "ehr.json").write_bytes(
        forge.key_set(forge.jwk(ec_key(), forge.EC_KID), forge.jwk(forge.rsa_key(), forge.RSA_KID))
    )
    path = tmp_path / "site.yaml"
    path.write_text(SITE)
    return path


def check(site: Path, text: str, *options: str) -> Result:
    arguments = ["client", "check", "-", "--config", str(site), "--at", NOW.isoformat(), *options]
    return CliRunner().invoke(main, arguments, input=text)


def good(**changes: Any) -> str:
    return token(**{"tenant": "north", **changes})


def with_header(**changes: object) -> str:
    return signed(header(**changes), claims(tenant="north"), ec_key(), "ES384")


@pytest.mark.parametrize("before", ["", "Bearer ", "bearer ", "Authorization: Bearer ", "authorization:Bearer ", "\n "])
def test_check_good_token_however_it_was_saved_passes(before: str, site: Path) -> None:
    result = check(site, f"{before}{good()}\n")

    assert result.exit_code == 0, result.output
    assert result.output.count("ok    ") == 6
    assert ENDPOINT in result.output
    assert not list(site.parent.glob("state*")), "a command of another user must not make the service's database"


REFUSED: list[tuple[Refusal, str, Callable[[], str]]] = [
    (Refusal.NOT_BEARER, "form", lambda: f"DPoP {good()}"),
    (Refusal.MALFORMED, "form", lambda: "an-opaque-access-token"),
    (Refusal.TOO_LARGE, "form", lambda: good(note="x" * 17_000)),
    (Refusal.ISSUER, "issuer", lambda: good(iss=f"{ISSUER}/")),
    (Refusal.TYPE, "header", lambda: with_header(typ="at+jwt")),
    (Refusal.CRITICAL_HEADER, "header", lambda: with_header(crit=["exp"])),
    (Refusal.KEY_IN_HEADER, "header", lambda: with_header(jwk={})),
    (Refusal.ALGORITHM, "header", lambda: token("RS384", tenant="north")),
    (Refusal.FOREIGN_JKU, "header", lambda: with_header(jku="https://elsewhere.example/keys")),
    (Refusal.KEY_ID, "header", lambda: with_header(kid=LEFT_OUT)),
    (Refusal.UNKNOWN_KEY, "signature", lambda: with_header(kid="of-last-year")),
    (Refusal.KEY_MISMATCH, "signature", lambda: with_header(kid=forge.RSA_KID)),
    (Refusal.SIGNATURE, "signature", lambda: good(key=ec_key("stranger"))),
    (Refusal.CLAIM_MISSING, "claims", lambda: good(jti=LEFT_OUT)),
    (Refusal.CLAIM_TYPE, "claims", lambda: good(exp="soon")),
    (Refusal.EXPIRED, "time", lambda: good(iat=NOW_SECONDS - 9000, exp=NOW_SECONDS - 8900)),
    (Refusal.ISSUED_IN_FUTURE, "time", lambda: good(iat=NOW_SECONDS + 90, exp=NOW_SECONDS + 100)),
    (Refusal.NOT_YET_VALID, "time", lambda: good(nbf=NOW_SECONDS + 90)),
    (Refusal.LIFETIME, "claims", lambda: good(exp=NOW_SECONDS + 4000)),
    (Refusal.AUDIENCE, "claims", lambda: good(aud=forge.PUBLIC_URL)),
    (Refusal.TENANT, "tenant", lambda: good(tenant="south")),
]


@pytest.mark.parametrize(("refusal", "check_name", "make"), REFUSED, ids=[row[0] for row in REFUSED])
def test_check_bad_token_names_the_check_and_what_to_do(
    refusal: Refusal, check_name: str, make: Callable[[], str], site: Path
) -> None:
    text = make()

    result = check(site, text)

    assert result.exit_code == 1
    assert f"FAIL  {check_name}: {refusal}" in result.output
    assert result.output.count("FAIL") == 1, "what is not wrong is not blamed"
    said = " ".join(result.output.split())
    assert ADVICE[refusal] in said
    assert not any(part in result.output for part in text.split(".") if len(part) > 16)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"jti": LEFT_OUT}, "missing-claim (jti)"),
        ({"aud": LEFT_OUT, "iat": LEFT_OUT}, "missing-claim (aud, iat)"),
        ({"iss": LEFT_OUT}, "unknown-issuer (iss is missing)"),
        ({"exp": "soon", "jti": ""}, "wrong-claim-type (exp, jti)"),
        ({"nbf": "x"}, "wrong-claim-type (nbf)"),
        ({"aud": [1]}, "wrong-claim-type (aud)"),
    ],
)
def test_check_token_with_a_wrong_claim_names_the_claim(changes: dict[str, Any], said: str, site: Path) -> None:
    assert said in check(site, good(**changes)).output


def test_check_old_token_with_times_of_a_wrong_type_is_no_crash(site: Path) -> None:
    result = check(site, good(iat=NOW_SECONDS - 9000, exp=NOW_SECONDS - 8900, nbf="x"))

    assert "FAIL  time: expired" in result.output
    assert "FAIL  claims: wrong-claim-type" in result.output


@pytest.mark.parametrize(
    ("not_before", "reason"),
    [
        ((NOW_SECONDS - 9000) * 1000, "milliseconds"),
        (10**400, "more than a float holds"),
        (NOW_SECONDS - 8950, "later"),
    ],
)
def test_check_old_token_with_odd_not_before_is_judged_as_of_its_own_time(
    not_before: int, reason: str, site: Path
) -> None:
    result = check(site, good(iat=NOW_SECONDS - 9000, exp=NOW_SECONDS - 8900, nbf=not_before))

    assert "FAIL  time: expired" in result.output, reason
    assert "claims: expired" not in result.output, reason
    assert ("ok    claims" in result.output) == (reason == "later"), reason


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_check_token_saved_on_windows_passes(encoding: str, site: Path) -> None:
    mark = "\ufeff" if encoding == "utf-16-le" else ""
    (site.parent / "token.txt").write_bytes(f"{mark}Bearer {good()}\r\n".encode(encoding))

    arguments = ["client", "check", str(site.parent / "token.txt"), "--config", str(site), "--at", NOW.isoformat()]
    result = CliRunner().invoke(main, arguments)

    assert result.exit_code == 0, result.output


def test_check_old_token_also_tells_what_else_is_wrong(site: Path) -> None:
    result = check(site, good(iat=NOW_SECONDS - 9000, exp=NOW_SECONDS - 8900, aud="https://cds.example"))

    assert "FAIL  time: expired" in result.output
    assert "FAIL  claims: wrong-audience" in result.output


@pytest.mark.parametrize("path", ["/cds-services", "/cds-services/sii-recurrence-risk/feedback"])
def test_check_token_for_another_endpoint_says_for_which(path: str, site: Path) -> None:
    result = check(site, good(aud=forge.PUBLIC_URL + path))

    assert result.exit_code == 0
    assert f"accepts such a token at {forge.PUBLIC_URL + path}, once" in result.output


def test_check_shows_times_in_milliseconds_and_nothing_personal_and_no_control_characters(site: Path) -> None:
    text = good(iss="https://\x1b[31m.example", iat=NOW_SECONDS * 1000, sub="dr-canary", fhirUser="Practitioner/canary")

    result = check(site, text)

    assert "milliseconds? It must be seconds" in result.output
    assert f"Configured issuers: {ISSUER}" in result.output
    assert "\x1b" not in result.output
    assert "canary" not in result.output


@pytest.mark.parametrize(
    ("text", "site_text", "code", "sentence"),
    [
        ("", SITE, 2, "the file is empty"),
        (" \n", SITE, 2, "the file is empty"),
        ("x", "authentication: {required: false}\n", 2, "names no client"),
        ("x", "clients: [{name: a}]\n", 2, "site.yaml:1:11: clients.0"),
    ],
)
def test_check_without_what_it_needs_says_so_in_one_sentence(
    text: str, site_text: str, code: int, sentence: str, site: Path
) -> None:
    site.write_text(site_text)

    result = check(site, text)

    assert result.exit_code == code
    assert sentence in result.output
    assert "Traceback" not in result.output


def test_check_before_authentication_is_required_checks_all_the_same(site: Path) -> None:
    site.write_text(SITE + "authentication: {required: false}\n")

    assert check(site, good()).exit_code == 0
    assert check(site, good(tenant="south")).exit_code == 1


def test_check_key_file_without_a_key_says_so(site: Path) -> None:
    (site.parent / "ehr.json").write_text('{"keys": []}')

    result = check(site, good())

    assert result.exit_code == 1
    assert "no usable key" in result.output


def test_advice_every_refusal_has_a_sentence() -> None:
    assert set(ADVICE) == set(Refusal)
    assert all(text.endswith(".") for text in ADVICE.values())
