"""Hook bodies that were right and are not any more: members, numbers, texts, bytes."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from tests.conformance.answers import HOOKS
from tests.fuzz.site import MARKER
from tests.support.charts import PATIENT_ID, Json, hook_request
from tests.support.strategies import NUMBER_MARK, any_json

# fmt: off
ODD_DATES = (
    "2026-02-30", "2026-13-01", "0000-01-01", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999999-14:00",
    "2026-10-14T24:00:00Z", "2026-10-14T23:59:60Z", "2026-10-14T08:00", "2026-10-14 08:00:00", "14.10.2026", "2026",
    "2026-10", "20261014", "2026-W42-3", "-2026-10-14", "2026-10-14T08:00:00+25:00", "2026-10-14T08:00:00+0200",
    "٢٠٢٦-١٠-١٤", "2026-10-14T08:00:00." + "9" * 400 + "Z", "2026-10-25T02:30:00", "", " ", "today",
)
REFERENCES = (
    f"Patient/{PATIENT_ID}", f"Patient/{PATIENT_ID}/_history/2", f"https://ehr.example/fhir/Patient/{PATIENT_ID}",
    f"urn:uuid:{PATIENT_ID}", f"#{PATIENT_ID}", f"Patient?identifier=x|{MARKER}", f"/Patient/{PATIENT_ID}/", "//", "/",
    f"Patient/{PATIENT_ID}?x=1", f"Patient/{PATIENT_ID}#x", f"patient/{PATIENT_ID}", "Group/1", "Patient/", "Patient",
    f"https://evil.example/Patient/{PATIENT_ID}/_history/", f"Patient/{MARKER}", "Patient/" + "x" * 10_000,
)
NUMBERS = (
    "1e400", "-1e400", "1e-400", "1e99999999999999999999", "9" * 400, "-0", "-0.0", "0e0", "1.0000000000000000000001",
    "5e-324", "123456789012345678901234567890", "1E5", "1" * 5000, "0." + "1" * 5000,
)
TEXTS = (
    "\ud83d\ude00", "\u202e\u2066", "a\u0300" * 50, "\0", "\x1b[31m", "<script>alert(1)</script>", "| `x` |\n# h",
    "${jndi:ldap://x}", "{{7*7}}", "'; DROP TABLE seen; --", "\ufeff", "\uffff", "x" * 100_000, "[a](javascript:1)",
)
BYTES = (
    b"", b" ", b"{", b"null", b"[]", b"0", b'"x"', b"\xff", b"\xef\xbb\xbf{}", b"\x00", b"NaN", b"{}{}", b"[" * 100_000,
    b'{"a":' * 50_000, b'{"hook":"patient-view"', b"\x80" * 100, b"{}" + b"\0" * 50,
)
# fmt: on

_VALUES: st.SearchStrategy[Any] = st.one_of(
    any_json(),
    st.sampled_from(ODD_DATES + REFERENCES + TEXTS),
    st.sampled_from(NUMBERS).map(NUMBER_MARK.__add__),
    st.sampled_from([10, 200, 900, 3000]).map(lambda depth: "nested:" + str(depth)),
    st.sampled_from([MARKER, None, True, [], {}, [[]], [None], {"": None}, "", 0]),
)


class Repeated:
    """A member that is written twice, first with this value."""

    def __init__(self, first: Any, last: Any) -> None:
        """Keep both."""
        self.first, self.last = first, last


def written(value: Any) -> str:
    """Write a value as JSON, with members repeated, numbers digit by digit, and nesting of any depth."""
    match value:
        case dict():
            return "{" + ", ".join(_members(name, member) for name, member in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(written, value)) + "]"
        case str() if value.startswith(NUMBER_MARK):
            return value.removeprefix(NUMBER_MARK)
        case str() if value.startswith("nested:"):
            depth = int(value.removeprefix("nested:"))
            return "[" * depth + "]" * depth
        case Repeated():
            return written(value.last)
        case _:
            return json.dumps(value)


def _members(name: str, member: Any) -> str:
    both = (member.first, member.last) if isinstance(member, Repeated) else (member,)
    return ", ".join(f"{json.dumps(name)}: {written(value)}" for value in both)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every member and item."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for name, member in inner for place in places(member, (*path, name)))]


def changed(value: Any, path: tuple[Any, ...], change: Any) -> Any:
    """Return a copy in which `change` was applied to the container of the last step of a path."""
    copy = value.copy()
    if len(path) == 1:
        change(copy, path[0])
    else:
        copy[path[0]] = changed(value[path[0]], path[1:], change)
    return copy


def _remove(container: Any, name: Any) -> None:
    del container[name]


def _double(container: Any, name: Any) -> None:
    if isinstance(container, list):
        container.append(container[name])


def base_requests() -> st.SearchStrategy[Json]:
    """Generate the requests that everything starts from; texts that name a person hold the marker."""
    persons = {"hookInstance": f"{MARKER}-h", "context": {"userId": f"Practitioner/{MARKER}", "patientId": PATIENT_ID}}
    fhir = {"fhirServer": f"https://{MARKER}.example/r4", "fhirAuthorization": {"access_token": MARKER}}
    requests = [body | persons for body, _ in HOOKS.values()]
    return st.sampled_from([*requests, requests[0] | fhir, hook_request(without=("albumin",)) | persons | fhir])


@st.composite
def _changed_once(draw: st.DrawFn, body: Any) -> Any:
    inner = [place for place in places(body) if place]
    if not inner:
        return body
    path = draw(st.sampled_from(inner))
    value = draw(_VALUES)
    twice = st.just(lambda box, name: box.__setitem__(name, Repeated(value, box[name])))
    put = st.just(lambda box, name: box.__setitem__(name, value))
    return changed(body, path, draw(st.one_of(put, put, put, st.just(_remove), st.just(_double), twice)))


@st.composite
def mutated_requests(draw: st.DrawFn) -> str:
    """Generate a request with one to four changes, as JSON text."""
    body: Any = draw(base_requests())
    for _ in range(draw(st.integers(1, 4))):
        body = draw(_changed_once(body))
    return written(body)


@st.composite
def mutated_bodies(draw: st.DrawFn) -> bytes:
    """Generate bytes: a mutated request, sometimes cut, flipped, repeated or in another encoding."""
    body = draw(mutated_requests()).encode("utf-8", "surrogatepass")
    place = draw(st.integers(0, len(body) - 1))
    damaged = st.sampled_from(
        [
            body[:place],
            body[:place] + bytes([body[place] ^ 0x21]) + body[place + 1 :],
            body[:place] + b"\xff" + body[place:],
            body + body,
            b"\xef\xbb\xbf" + body,
            body.decode("utf-8", "replace").encode("utf-16"),
            body.replace(b"null", b"NaN"),
        ]
    )
    return draw(st.one_of(st.just(body), st.just(body), st.just(body), damaged))


@st.composite
def mutated_feedback(draw: st.DrawFn) -> bytes:
    """Generate a batch of feedback with one to three changes."""
    reason = {"reason": {"code": "x", "system": "https://x.example"}, "userComment": MARKER}
    item = {
        "card": MARKER,
        "outcome": "overridden",
        "outcomeTimestamp": "2026-11-01T10:00:00Z",
        "overrideReason": reason,
    }
    body: Any = {"feedback": [item, item | {"acceptedSuggestions": [{"id": MARKER}]}, item | {"outcome": "accepted"}]}
    for _ in range(draw(st.integers(1, 3))):
        body = draw(_changed_once(body))
    return written(body).encode("utf-8", "surrogatepass")
