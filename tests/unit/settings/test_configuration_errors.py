"""The mistakes in the configuration file that docs/configuration-errors.md lists: what is said stands there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.support.configuration_errors import Mistake, held, made, rows

if TYPE_CHECKING:
    from pathlib import Path

SECTION: Final = "The configuration file"

FILE: Final = "sii-cds.yaml"
OPEN: Final = "authentication: {required: false}\n"
CLIENT: Final = "  - name: main\n    issuer: https://ehr.example\n    jwks_url: https://ehr.example/jwks\n"
IN_TIME: Final = "clients:\n" + CLIENT


def mistake(text: str, **environment: str) -> Mistake:
    """Write a file that has one mistake."""
    return Mistake({FILE: text}, environment=environment)


MISTAKES: Final = {
    # How it is written.
    "no colon after a section": mistake("service:\n  mode: silent\nserver\n  port: 8000\n"),
    "no colon after a key": mistake("server:\n  host: 127.0.0.1\n  port 8000\n  workers: 2\n"),
    "no space after a colon": mistake(f"{OPEN}server:\n  port:8000\n"),
    "`=` in place of the colon": mistake("service:\n  mode = silent\n  language: en\n"),
    "full-width colon of an input method": mistake("server：\n  port: 8000\n"),
    "line indented too far": mistake("server:\n  port: 8000\n    workers: 2\n"),
    "line not indented far enough": mistake("server:\n    port: 8000\n  workers: 2\n"),
    "tab in front of a line": mistake("server:\n\tport: 8000\n"),
    "client without dash": mistake(f"{OPEN}clients:\n  name: main\n  issuer: https://ehr.example\n"),
    "no space after the dash": mistake(f"{OPEN}clients:\n  -name: main\n"),
    "key below the dash": mistake("clients:\n  - name: main\n  issuer: https://ehr.example\n"),
    "quotes not closed": mistake("rule:\n  cutoff_source: 'own cohort\n"),
    "bracket not closed": mistake("cors:\n  origins: [https://ehr.example\nstate:\n  url: sqlite:///state.db\n"),
    "colon and space within a text": mistake("rule:\n  cutoff_source: own cohort: 2024\n"),
    "backslash within double quotes": mistake('audit:\n  directory: "C:\\sii\\audit"\n'),
    "form of an INI file": mistake("[service]\nmode = silent\n"),
    "key written twice": mistake(f"{OPEN}server:\n  port: 8000\n  port: 8001\n"),
    "saved as UTF-16": Mistake({FILE: "service:\n  mode: silent\n".encode("utf-16")}),
    "no-break space from a word processor": mistake(f"{OPEN}service:\n  mode: silent\u00a0\n"),
    # Names of keys.
    "key spelt wrongly": mistake(f"{OPEN}service:\n  mod: silent\n"),
    "key under another section": mistake(f"{OPEN}service:\n  cutoff: 405.08\n"),
    "variable of the environment spelt wrongly": mistake(OPEN, SII_CDS__SERVER__PROT="8000"),
    # Values.
    "decimal comma": mistake(f"{OPEN}rule:\n  cutoff: 405,08\n"),
    "decimal comma within braces": mistake(f"{OPEN}rule: {{cutoff: 405,08}}\n"),
    "number with its unit": mistake(f"{OPEN}server:\n  hook_deadline_seconds: 2s\n"),
    "number in quotes": mistake(f"{OPEN}server:\n  port: '8000'\n"),
    "`yes` for `true`": mistake(f"{OPEN}cards:\n  show_indeterminate: yes\n"),
    "key without a value": mistake(f"{OPEN}server:\n  port:\n"),
    "one word where a list belongs": mistake(f"{OPEN}normalization:\n  accept_statuses: final\n"),
    "word that is no choice": mistake(f"{OPEN}service:\n  mode: slient\n"),
    "abbreviation as time zone": mistake(f"{OPEN}service:\n  timezone: CEST\n"),
    "offset as time zone": mistake(f"{OPEN}service:\n  timezone: UTC+2\n"),
    "path of Windows on another host": mistake(f"{OPEN}audit:\n  directory: C:\\sii\\audit\n"),
    "`~` in a path": mistake(f"{OPEN}audit:\n  directory: ~/audit\n"),
    "key in place of the name of its file": mistake(f"{OPEN}audit:\n  hmac_key_file: {'6f1c0e5a9b7d4c3f' * 4}\n"),
    # Addresses.
    "address without `https://`": mistake(f"{OPEN}service:\n  public_url: cds.hospital.example\n"),
    "http where https belongs": mistake(f"{OPEN}service:\n  public_url: http://cds.hospital.example\n"),
    "https on the port of http": mistake(f"{OPEN}service:\n  public_url: https://cds.hospital.example:80\n"),
    "https on the port of this service": mistake(f"{OPEN}service:\n  public_url: https://cds.hospital.example:8080\n"),
    "path of the service in its address": mistake(
        f"{OPEN}service:\n  public_url: https://cds.hospital.example/cds-services\n"
    ),
    "password in an address": mistake(f"{OPEN}acquisition:\n  proxy: http://cds:hunter2@proxy.example:3128\n"),
    # What goes together.
    "open to the network without authentication": mistake(f"{OPEN}server:\n  host: 0.0.0.0\n"),
    "authentication without any client": mistake("authentication:\n  required: true\n"),
    "client without keys": mistake("clients:\n  - name: main\n    issuer: https://ehr.example\n"),
    "signature that needs a shared secret": mistake(f"{IN_TIME}    algorithms: [HS256]\n"),
    "two clients of one name": mistake(
        f"{IN_TIME}  - name: main\n    issuer: https://other.example\n    jwks_url: https://other.example/jwks\n"
    ),
    "pseudonyms without a key": mistake(f"{OPEN}audit:\n  pseudonymize_patient: true\n"),
    "unreviewed language in active mode": mistake(f"{OPEN}service:\n  language: zh-Hans\n"),
}


def test_every_row_of_the_configuration_file_is_tried_and_every_trial_stands_there() -> None:
    assert held(SECTION, MISTAKES) == set()


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake_in_the_configuration_file_is_told_as_the_page_says(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    message = rows(SECTION)[name].message

    said = made(MISTAKES[name], tmp_path)

    if message.startswith("warning: "):
        assert message in said.warnings
        assert (said.lines, said.exit_code) == ((), 0)
    else:
        assert (said.lines, said.exit_code) == ((message,), 1)
