"""One request for a key set: bounded in size, and blind to everything but the address configured."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import requests
from urllib3.exceptions import HTTPError

from cds_service.authorization.keys import MAX_KEY_SET_BYTES, KeySetError
from cds_service.outgoing import NOT_FROM_A_CACHE, USER_AGENT, FinalAnswerAdapter, seconds_to_wait

if TYPE_CHECKING:
    from pathlib import Path

# For connecting and for each piece that arrives. Nobody waits longer, even for a server that sends byte by byte: see
# key_url.py.
TIMEOUT_SECONDS = 2.0
# For all pieces together: a server that sends byte by byte is given up too.
LONGEST_SECONDS = 10.0
# Requests with an unknown key wait meanwhile.
_LONGEST_PATIENCE_SECONDS = 1.0
_CHUNK_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class KeySetAddress:
    """Where a key set is published, and the way there: own certificate authorities, a proxy for https."""

    url: str
    ca_file: Path | None = None
    proxy: str | None = None


def download(address: KeySetAddress) -> bytes:
    """Get a key set. Raises KeySetError; a redirect counts as a failure, since it would lead to another address."""
    # A session of its own, without the environment: netrc, proxy variables and cookies must not decide anything.
    with requests.Session() as session:
        session.trust_env = False
        for scheme in ("https://", "http://"):
            session.mount(scheme, FinalAnswerAdapter())
        try:
            with _patient_request(session, address) as response:
                if response.status_code != requests.codes.ok:
                    raise KeySetError(f"status {response.status_code}")
                return _body(response)
        except (OSError, HTTPError) as error:
            # Of requests, of the library below it, and of a file of authorities that is gone or holds none.
            raise KeySetError(type(error).__name__) from None


def _patient_request(session: requests.Session, address: KeySetAddress) -> requests.Response:
    """Ask, and once more where the server asks for a moment."""
    response = _request(session, address)
    seconds = seconds_to_wait(response.status_code, response.headers)
    if seconds is None or seconds > _LONGEST_PATIENCE_SECONDS:
        return response
    response.close()
    time.sleep(seconds)
    return _request(session, address)


def _request(session: requests.Session, address: KeySetAddress) -> requests.Response:
    return session.get(
        address.url,
        headers={
            "Accept": "application/jwk-set+json, application/json",
            "Accept-Encoding": "identity",
            "User-Agent": USER_AGENT,
            **NOT_FROM_A_CACHE,
        },
        proxies={"https": address.proxy} if address.proxy else {},
        verify=str(address.ca_file) if address.ca_file else True,
        timeout=TIMEOUT_SECONDS,
        allow_redirects=False,
        stream=True,
    )


def _body(response: requests.Response) -> bytes:
    body, end = bytearray(), time.monotonic() + LONGEST_SECONDS
    while part := response.raw.read1(_CHUNK_BYTES, decode_content=True):
        body += part
        if time.monotonic() > end:
            raise KeySetError(f"not complete after {LONGEST_SECONDS:.0f} s")
        if len(body) > MAX_KEY_SET_BYTES:
            raise KeySetError("larger than 1 MB")
    return bytes(body)
