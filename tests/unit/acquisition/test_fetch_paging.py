"""Which `next` links are followed: below the base URL, and nowhere else (requirement 44)."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from cds_service.acquisition.bundles import BundleContent
from cds_service.acquisition.fhir.paging import join_pages, resolve_next
from cds_service.acquisition.resources import Malformed, Observation

BASE = "https://ehr.example/fhir/r4"

FOLLOWED = [
    (f"{BASE}/Observation?page=2", f"{BASE}/Observation?page=2", "below the base"),
    (f"{BASE}?_getpages=a&_getpagesoffset=20", f"{BASE}?_getpages=a&_getpagesoffset=20", "HAPI: the base itself"),
    (f"{BASE}/?page=2", f"{BASE}/?page=2", "the base with a slash"),
    (f"{BASE}/Observation/_search/x-1?p=2", f"{BASE}/Observation/_search/x-1?p=2", "deeper"),
    ("Observation?page=2", f"{BASE}/Observation?page=2", "relative to the base"),
    ("?page=2", f"{BASE}/?page=2", "a query alone"),
    ("/fhir/r4/Observation?page=2", f"{BASE}/Observation?page=2", "from the root of the host"),
    ("//ehr.example/fhir/r4?p=2", f"{BASE}?p=2", "without the scheme"),
    ("https://EHR.example:443/fhir/r4?p=2", f"{BASE}?p=2", "the same server, spelled differently"),
    (f"{BASE}?p=https://other.example/..", f"{BASE}?p=https://other.example/..", "the query is the server's own"),
    (f"{BASE}/Observation?p=2#top", f"{BASE}/Observation?p=2", "a fragment is not sent"),
    ("http://ehr.example/fhir/r4?p=2", f"{BASE}?p=2", "a server that does not know of the TLS before it: at the base"),
    ("http://ehr.example:80/fhir/r4?p=2", f"{BASE}?p=2", "the same with the port"),
    ("http://ehr.example:443/fhir/r4?p=2", f"{BASE}?p=2", "the port of the proxy with the scheme of the server"),
    ("https://ehr.example:443:443/fhir/r4?p=2", f"{BASE}?p=2", "X-Forwarded-Port added twice"),
    ("http://ehr.example:443:443/fhir/r4?p=2", f"{BASE}?p=2", "both"),
    (f"{BASE}?p=ehr.example:443:443", f"{BASE}?p=ehr.example:443:443", "what only looks like a host stays"),
    (f"{BASE}/a/../Observation", None, "dot segments, even where they stay below"),
    ("../r4/Observation?p=2", f"{BASE}/Observation?p=2", "a relative link is resolved before it is judged"),
]

REFUSED = [
    ("https://other.example/fhir/r4?p=2", "another host"),
    ("https://ehr.example.other.example/fhir/r4?p=2", "another host that begins alike"),
    ("//other.example/fhir/r4?p=2", "another host without scheme"),
    ("http://other.example/fhir/r4?p=2", "not encrypted, and another host"),
    ("http://ehr.example:8080/fhir/r4?p=2", "not encrypted, and another port"),
    ("http://ehr.example/fhir?p=2", "not encrypted, and above the base"),
    ("http://user@ehr.example/fhir/r4?p=2", "not encrypted, and userinfo"),
    ("https://ehr.example:8443:8443/fhir/r4?p=2", "another port, doubled"),
    ("https://ehr.example:443:8443/fhir/r4?p=2", "two ports"),
    ("https://ehr.example:443:443:443/fhir/r4?p=2", "three"),
    ("https://other.example:443:443/fhir/r4?p=2", "another host with its port doubled"),
    ("https://ehr.example:8443/fhir/r4?p=2", "another port"),
    ("https://ehr.example:0/fhir/r4", "no port"),
    ("https://ehr.example:99999/fhir/r4", "no port at all"),
    ("https://ehr.example/fhir", "above the base"),
    ("https://ehr.example/fhir/r4x/Observation", "beside the base"),
    ("https://ehr.example/", "the root"),
    ("..?p=2", "relative, above the base"),
    (f"{BASE}/../admin", "dot segments"),
    (f"{BASE}/%2e%2e/admin", "encoded dot segments"),
    (f"{BASE}/.%2E/admin", "half encoded"),
    (f"{BASE}/%252e%252e/admin", "encoded twice"),
    (f"{BASE}/..;/admin", "a path parameter behind which some servers see the dots"),
    (f"{BASE}/..%3b/admin", "the same, encoded"),
    (f"{BASE}\\..\\admin", "backslashes"),
    (f"{BASE}/%5c../admin", "an encoded backslash"),
    (f"{BASE}/./Observation", "a dot segment that leads nowhere"),
    ("https://user@ehr.example/fhir/r4?p=2", "userinfo"),
    ("https://user:secret@ehr.example/fhir/r4?p=2", "userinfo with a password"),
    ("https://ehr.example@other.example/fhir/r4?p=2", "the host as userinfo"),
    ("https://ehr.example\\@other.example/fhir/r4", "a backslash that readers of addresses take differently"),
    ("https://ehr.example#@other.example/fhir/r4", "a fragment in front of another host"),
    ("ftp://ehr.example/fhir/r4", "another protocol"),
    ("file:///fhir/r4/Observation", "a file"),
    ("javascript:alert(1)", "no address"),
    ("urn:uuid:5a1d5c1e-0000-4000-8000-000000000000", "a name"),
    ("http://[::1", "no address at all"),
    ("https://[ehr.example]/fhir/r4", "no host at all"),
]


@pytest.mark.parametrize(("link", "expected", "reason"), FOLLOWED)
def test_next_link_below_the_base_is_followed(link: str, expected: str | None, reason: str) -> None:
    assert resolve_next(link, BASE) == expected, reason


@pytest.mark.parametrize(("link", "reason"), REFUSED)
def test_next_link_elsewhere_is_refused(link: str, reason: str) -> None:
    assert resolve_next(link, BASE) is None, reason


@pytest.mark.parametrize(
    ("link", "base", "followed"),
    [
        ("https://ehr.example/Observation?p=2", "https://ehr.example", True),
        ("https://ehr.example?p=2", "https://ehr.example", True),
        ("http://127.0.0.1:8080/fhir?p=2", "http://127.0.0.1:8080/fhir", True),
        ("http://127.0.0.1:8081/fhir?p=2", "http://127.0.0.1:8080/fhir", False),
        ("http://localhost:8080/fhir?p=2", "http://127.0.0.1:8080/fhir", False),
        ("http://[::1]:8080/fhir?p=2", "http://[::1]:8080/fhir", True),
        ("http://[::1]:8080:8080/fhir?p=2", "http://[::1]:8080/fhir", True),
        ("http://ehr.example:8443/fhir?p=2", "https://ehr.example:8443/fhir", True),
        ("http://ehr.example:443/fhir?p=2", "https://ehr.example:8443/fhir", False),
        ("https://127.0.0.1:8080/fhir?p=2", "http://127.0.0.1:8080/fhir", False),
    ],
)
def test_next_link_of_other_bases(link: str, base: str, followed: bool) -> None:
    assert (resolve_next(link, base) is not None) is followed


BEGINNINGS = st.sampled_from([BASE, "https://ehr.example", "https://", "//ehr.example/fhir/r4", "/fhir/r4", ""])
MARKS = ["/", "//", "\\", "..", ".", ";", "@", "#", "?", ":", ":443", "[", "]", "\t", "\n", " ", "\x00", "\u2028"]
WORDS = ["%2e", "%252e", "%2f", "%5c", "a=b&c", "r4", "other.example", "ehr.example", "é"]
PARTS = st.sampled_from([*MARKS, *WORDS])


@given(BEGINNINGS, st.lists(PARTS, max_size=10).map("".join))
def test_whatever_a_link_says_the_request_goes_below_the_base(beginning: str, rest: str) -> None:
    url = resolve_next(beginning + rest, BASE)
    if url is None:
        return
    sent = urlsplit(requests.Request("GET", url).prepare().url)

    assert (sent.scheme, sent.netloc) == ("https", "ehr.example")
    assert str(sent.path) == "/fhir/r4" or str(sent.path).startswith("/fhir/r4/")


def test_joined_pages_keep_order_patients_and_what_is_missing() -> None:
    first = BundleContent((Observation(id="1"),), (Malformed("m1"),), {"urn:uuid:1": "p1"}, "ignored")
    second = BundleContent((Observation(id="2"),), (Malformed("m2"),), {"urn:uuid:2": "p2"}, None)

    joined = join_pages((first, second), "rest")

    assert [observation.id for observation in joined.resources] == ["1", "2"]
    assert [malformed.id for malformed in joined.malformed] == ["m1", "m2"]
    assert joined.patients == {"urn:uuid:1": "p1", "urn:uuid:2": "p2"}
    assert joined.next_url == "rest"


# Total and matches of each page; whether something is missing once all pages were read.
PAGE_TOTALS = [
    (((3, 2), (3, 1)), False, "the total is that of the search, told on each page"),
    (((3, 2), (0, 1)), False, "told on the first page alone"),
    (((0, 2), (3, 1)), False, "told on the last page alone"),
    (((4, 2), (4, 1)), True, "one that no page holds"),
    (((0, 2), (0, 1)), False, "never told"),
    (((3, 2), (4, 1)), True, "the pages do not agree: whoever tells of more is believed"),
    ((), False, "no page at all"),
]


@pytest.mark.parametrize(("pages", "truncated", "reason"), PAGE_TOTALS)
def test_matches_of_all_pages_are_compared_with_the_total(
    pages: tuple[tuple[int, int], ...], truncated: bool, reason: str
) -> None:
    contents: list[BundleContent[Observation]] = [BundleContent(total=t, matches=m) for t, m in pages]

    assert join_pages(contents, None).truncated is truncated, reason
    assert join_pages(contents, "rest").truncated, "a page that was not read is missing in any case"
