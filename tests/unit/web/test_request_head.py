"""A head that two readers could understand differently is refused before anything else is looked at."""

import pytest

from cds_service.errors import MalformedRequestError, UnknownTransferCodingError
from cds_service.web.request_head import check_head


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        ({}, "no host (RFC 9112 section 3.2)"),
        ({"HTTP_HOST": ""}, "what the server makes of none"),
        ({"HTTP_HOST": " "}, "blank"),
        ({"HTTP_HOST": "a,b"}, "two, as the server joins them"),
        ({"HTTP_HOST": "a,a"}, "twice the same"),
        ({"HTTP_HOST": "a,", "SERVER_PROTOCOL": "HTTP/1.0"}, "two in an old request"),
    ],
)
def test_head_without_one_host_is_refused(head: dict[str, str], reason: str) -> None:
    with pytest.raises(MalformedRequestError):
        check_head({"SERVER_PROTOCOL": "HTTP/1.1", **head})


@pytest.mark.parametrize("coding", ["gzip", "gzip, chunked", "chunked,chunked", "identity", "xchunked", "chunked;q=1"])
def test_head_with_a_coding_that_is_not_understood_is_refused(coding: str) -> None:
    with pytest.raises(UnknownTransferCodingError):
        check_head({"SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "cds", "HTTP_TRANSFER_ENCODING": coding})


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        ({"HTTP_HOST": "cds.hospital.example:8080"}, "the usual"),
        ({"HTTP_HOST": "[::1]:8080"}, "IPv6"),
        ({"HTTP_HOST": "cds", "HTTP_TRANSFER_ENCODING": "Chunked"}, "names of codings have no case"),
        ({"SERVER_PROTOCOL": "HTTP/1.0"}, "a health probe of old"),
        ({"SERVER_PROTOCOL": "HTTP/1"}, "what granian makes of it"),
    ],
)
def test_head_that_is_clear_is_accepted(head: dict[str, str], reason: str) -> None:
    check_head({"SERVER_PROTOCOL": "HTTP/1.1", **head})
