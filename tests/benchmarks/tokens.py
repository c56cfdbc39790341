"""What a client token costs: beside the bare signature check of `cryptography`, and on top of a whole request.

`python -m tests.benchmarks.tokens` prints the table of docs/performance.md: processor time of this process, each kind
of call in turn with the others, medians of the rounds.
"""

from __future__ import annotations

import argparse
import io
import logging
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from cds_service.app import create_app
from cds_service.authorization.authenticator import Authenticator
from cds_service.authorization.clients import ClientTrust, TokenPolicy, TrustedClient
from cds_service.authorization.keys import read_key_set
from cds_service.settings import settings_from_dict
from cds_service.state.used_tokens import UsedTokens
from tests.benchmarks.bodies import patient_view_body
from tests.security import forge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cds_service.authorization.token import TokenUse

ENDPOINT = urlsplit(forge.ENDPOINT)
# What design section 9 allows: a request with a token, beside the same one without plus the bare check.
MOST_OF_REQUEST = 1.2


@dataclass(frozen=True)
class Kind:
    """A key, the algorithm it signs with, and how it is named in the table."""

    name: str
    algorithm: str
    key: forge.Key


class _NoReplay(UsedTokens):
    """Everything is new: the database is measured apart."""

    def __init__(self) -> None:
        self.url = ""

    def is_first_use(self, use: TokenUse, now: float) -> bool:
        return bool(use) and now > 0


def kinds() -> tuple[Kind, ...]:
    """The two recommended algorithms, RS384 with the sizes that are in use."""
    return (
        Kind("ES384", "ES384", forge.ec_key()),
        Kind("RS384, 2,048 bits", "RS384", forge.rsa_key()),
        Kind("RS384, 4,096 bits", "RS384", forge.rsa_key("large", 4096)),
    )


def bare_check(kind: Kind) -> Callable[[], None]:
    """The signature check alone, key and bytes at hand."""
    text = forge.unsigned(forge.header(kind.algorithm), forge.claims()).encode()
    signature = forge.sign(kind.key, kind.algorithm, text.decode())
    public = kind.key.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        filling, digest = padding.PKCS1v15(), hashes.SHA384()
        return lambda: public.verify(signature, text, filling, digest)
    half = len(signature) // 2
    der = encode_dss_signature(int.from_bytes(signature[:half]), int.from_bytes(signature[half:]))
    how = ec.ECDSA(hashes.SHA384())
    return lambda: public.verify(der, text, how)


def token_check(kind: Kind, replay: UsedTokens, tokens: Iterator[str]) -> Callable[[], None]:
    """The whole of `authenticate`."""
    keys = read_key_set(forge.key_set(forge.jwk(kind.key, forge.header(kind.algorithm)["kid"])))
    rights = TrustedClient("main-ehr", forge.ISSUER, "active")
    authenticator = Authenticator([ClientTrust(forge.ISSUER, keys, ("ES384", "RS384"), rights)], TokenPolicy(), replay)
    fields = iter([[f"Bearer {text}"] for text in tokens])
    # As the service's clock tells it.
    now = forge.NOW.astimezone(UTC)

    def check() -> None:
        authenticator.authenticate(next(fields), forge.ENDPOINT, now, "192.0.2.1")

    return check


def request(folder: Path, kind: Kind | None, tokens: Iterator[str]) -> Callable[[], None]:
    """A whole hook in this process, with 12 prefetched Observations and audit; without a kind, without a token."""
    folder.mkdir()
    client: dict[str, Any] = {"name": "main-ehr", "issuer": forge.ISSUER, "jwks_file": "ehr.json"}
    if kind is not None:
        kid = forge.header(kind.algorithm)["kid"]
        (folder / "ehr.json").write_bytes(forge.key_set(forge.jwk(kind.key, kid)))
    sections = {
        "service": {"public_url": forge.PUBLIC_URL},
        "authentication": {"required": kind is not None},
        "clients": [client] if kind is not None else [],
    }
    app, body = (
        create_app(settings_from_dict(sections, folder), now=lambda: forge.NOW),
        patient_view_body(12, eligible=True, now=forge.NOW),
    )

    def ask() -> None:
        environ = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": ENDPOINT.path,
            "SERVER_NAME": ENDPOINT.hostname,
            "SERVER_PORT": "443",
            "wsgi.url_scheme": "https",
            "wsgi.input": io.BytesIO(body),
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(body)),
            "REMOTE_ADDR": "192.0.2.1",
        }
        if kind is not None:
            environ["HTTP_AUTHORIZATION"] = f"Bearer {next(tokens)}"
        answer = b"".join(app.wsgi_app(environ, lambda *_: None))  # type: ignore[arg-type]  # no write()
        # Anything else costs less and would be compared with nothing.
        assert b'"outcome":"above-cutoff"' in answer, answer

    return ask


def microseconds(call: Callable[[], None], times: int) -> float:
    """Processor time of one call."""
    begun = time.process_time()
    for _ in range(times):
        call()
    return (time.process_time() - begun) / times * 1e6


def medians(calls: dict[str, Callable[[], None]], rounds: int, times: int) -> dict[str, float]:
    """Measure some calls in turn, so that what disturbs one disturbs the others."""
    measured: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            measured[name].append(microseconds(call, times))
    return {name: statistics.median(values) for name, values in measured.items()}


def row(kind: Kind, folder: Path, rounds: int, times: int) -> tuple[str, float]:
    """Measure one kind; give its line of the table and the ratio of the whole request."""
    needed = rounds * times
    made = [forge.token(kind.algorithm, kind.key) for _ in range(needed)]
    store = UsedTokens(f"sqlite:///{folder}/state.db")
    store.check_writable()
    calls = {
        "bare": bare_check(kind),
        "check": token_check(kind, _NoReplay(), iter(made)),
        "replay": token_check(kind, store, iter(made)),
        "without": request(folder / "without", None, iter(())),
        "with": request(folder / "with", kind, iter(made)),
    }
    took = medians(calls, rounds, times)
    whole = took["with"] / (took["without"] + took["bare"])
    cells = (
        kind.name,
        f"{took['bare']:.0f} µs",
        f"{took['check']:.0f} µs",
        f"{took['check'] / took['bare']:.2f}",
        f"{took['check'] - took['bare']:.0f} µs",
        f"{took['replay'] / took['bare']:.2f}",
        f"{took['without']:.0f} µs",
        f"{took['with']:.0f} µs",
        f"{whole:.2f}",
    )
    return f"| {' | '.join(cells)} |", whole


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Print the table; end with an error when a whole request takes more than design section 9 allows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--times", type=int, default=200, help="calls in each round")
    arguments = parser.parse_args()
    logging.disable()
    say("| key | bare check | check | ratio | more | with `jti` | request without | request with | ratio |")
    say("|---|---|---|---|---|---|---|---|---|")
    wholes = []
    for kind in kinds():
        with tempfile.TemporaryDirectory() as folder:
            line, whole = row(kind, Path(folder), arguments.rounds, arguments.times)
        say(line)
        wholes.append(whole)
    if max(wholes) > MOST_OF_REQUEST:
        raise SystemExit(f"a request with a token takes {max(wholes):.2f} of what it may, at most {MOST_OF_REQUEST}")


if __name__ == "__main__":
    main()
