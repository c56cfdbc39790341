"""The file that a hospital starts from: silent, authenticated, with one client to fill in."""

from __future__ import annotations

from typing import Final

from cds_service.settings.operations_content import EXAMPLE_PUBLIC_URL, FILL_IN_HOST

# The names stand beside the configuration file.
AUDIT_FOLDER: Final = "audit"
STATE_FOLDER: Final = "state"
AUDIT_KEY: Final = "audit-key"
KEY_SET: Final = "ehr-jwks.json"

_TEXT: Final = f"""\
# Configuration of sii-cds. It starts silent: calls need a token, decisions are recorded, no card is shown.
# Fill in what is marked FILL IN, then: sii-cds config check
# Every other key, with its meaning and default: sii-cds config defaults
# Relative paths start from the folder of this file. Secrets never stand here, only the paths of their files.

service:
  # FILL IN the address under which EHRs reach this service. It gives the accepted `aud` of their tokens.
  public_url: {EXAMPLE_PUBLIC_URL}
  # FILL IN the time zone of the hospital, such as Europe/Zurich. It decides on which day a blood draw falls.
  timezone: UTC
  # Going live is one word, active, once the clinical owner has approved it.
  mode: silent

# TLS ends in the proxy in front, which forwards to this port.
server:
  host: 127.0.0.1
  port: 8080

# One record for each decision, chained with the key: keep a copy of the key where the log is not.
audit:
  directory: {AUDIT_FOLDER}
  hmac_key_file: {AUDIT_KEY}

state:
  url: sqlite:///{STATE_FOLDER}/state.db

# The EHRs that may call, one entry for each.
clients:
  # FILL IN how this EHR is named in logs, metrics and audit records.
  - name: main-ehr
    # FILL IN the `iss` of its tokens, character by character.
    issuer: https://{FILL_IN_HOST}
    # FILL IN its public keys (JWK Set) as a file, or their address as jwks_url in place of it.
    jwks_file: {KEY_SET}
    # FILL IN the base address of its FHIR server, from which data that it does not send are fetched.
    fhir_servers: [https://{FILL_IN_HOST}/fhir/r4]
"""


def starting_file() -> str:
    """Write the file. What is to be filled in is marked; `config check` names it too."""
    return _TEXT
