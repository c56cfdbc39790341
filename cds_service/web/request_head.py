"""What the head of a request must hold before anything else is looked at.

Where two readers of one request understand its head differently, one of them can be made to see another request. So
what RFC 9112 leaves no doubt about is refused: a host that is not named exactly once (section 3.2), and a transfer
coding that is not understood (section 6.1). The server joins fields of one name by a comma.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cds_service.errors import MalformedRequestError, UnknownTransferCodingError

if TYPE_CHECKING:
    from collections.abc import Mapping

# The only protocol versions in which a request needs no host; the first is what granian makes of the second.
_WITHOUT_HOST: Final = frozenset({"HTTP/1", "HTTP/1.0", "HTTP/0.9"})


def check_head(environ: Mapping[str, str]) -> None:
    """Raise MalformedRequestError or UnknownTransferCodingError where the head is not clear."""
    host = environ.get("HTTP_HOST", "").strip()
    if "," in host or (not host and environ.get("SERVER_PROTOCOL") not in _WITHOUT_HOST):
        raise MalformedRequestError("The request must name its host exactly once.")
    coding = environ.get("HTTP_TRANSFER_ENCODING", "")
    if coding and coding.strip().lower() != "chunked":
        raise UnknownTransferCodingError
