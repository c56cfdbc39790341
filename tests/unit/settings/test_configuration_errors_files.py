"""The mistakes in files that the configuration names, which docs/configuration-errors.md lists."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.security.forge import ec_key, jwk
from tests.support.configuration_errors import Mistake, held, made, rows
from tests.unit.test_mistaken_files import CERTIFICATE, PRIVATE, PUBLIC_PEM

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SECTION: Final = "Files that it names"

OPEN: Final = "authentication: {required: false}\n"
OVERLAY: Final = f"{OPEN}mappings: {{overlays: [codes]}}\n"
CLIENT: Final = "clients: [{name: ehr, issuer: 'https://ehr.example', jwks_file: keys}]\n"
AUTHORITIES: Final = f"{OPEN}acquisition: {{ca_file: ca}}\n"
LOG: Final = f"{OPEN}audit: {{directory: audit, hmac_key_file: key}}\n"

SINGLE: Final = jwk(ec_key(), "k1")
SECRET: Final = {**SINGLE, "d": "c2VjcmV0"}
DER: Final = ec_key().private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def keys(content: bytes | object) -> Mapping[str, bytes]:
    return {"keys": content if isinstance(content, bytes) else json.dumps(content).encode()}


# Each with the configuration, and the files beside it.
MISTAKES: Final[dict[str, tuple[str, Mapping[str, bytes]]]] = {
    "a table (CSV) as overlay": (OVERLAY, {"codes": b"code;analyte\n1;platelets\n"}),
    "a workbook as overlay": (OVERLAY, {"codes": b"PK\x03\x04\x14"}),
    "the whole configuration as overlay": (OVERLAY, {"codes": b"service: {mode: silent}\nclients: []\n"}),
    "an empty overlay": (OVERLAY, {"codes": b""}),
    "a certificate as key set": (CLIENT, keys(CERTIFICATE)),
    "a public key as key set": (CLIENT, keys(PUBLIC_PEM)),
    "a private key as key set": (CLIENT, keys(PRIVATE)),
    "a private key in the key set": (CLIENT, keys({"keys": [SECRET]})),
    "a single key in place of a set": (CLIENT, keys(SINGLE)),
    "a single private key in place of a set": (CLIENT, keys(SECRET)),
    "the discovery document in place of the key set": (CLIENT, keys({"issuer": "x", "jwks_uri": "https://x.example"})),
    "a web page saved in place of the key set": (CLIENT, keys(b"<!doctype html><title>Sign in</title>")),
    "an empty key set": (CLIENT, keys({"keys": []})),
    "a key without a kid": (CLIENT, keys({"keys": [{**SINGLE, "kid": ""}]})),
    "certificate authorities in binary form": (AUTHORITIES, {"ca": DER}),
    "an empty file of certificate authorities": (AUTHORITIES, {"ca": b""}),
    "a short audit key": (LOG, {"key": b"short\n"}),
    "a file where the audit folder should be": (OPEN, {"audit": b""}),
    "a folder of the state store that is not there": (f"{OPEN}state: {{url: 'sqlite:///state/state.db'}}\n", {}),
}


def test_every_row_of_the_named_files_is_tried_and_every_trial_stands_there() -> None:
    assert held(SECTION, MISTAKES) == set()


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake_in_a_named_file_is_told_as_the_page_says(
    mistake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text, files = MISTAKES[mistake]

    said = made(Mistake({"sii-cds.yaml": text, **files}), tmp_path)

    assert said.lines == (rows(SECTION)[mistake].message,)
    assert said.exit_code == 1
    assert "c2VjcmV0" not in said.stderr
