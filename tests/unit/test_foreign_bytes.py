"""Bytes of others: what cannot be read costs no more than its own text, and places stay those of the sender."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.authorization.keys import read_key_set
from cds_service.foreign_bytes import UNREADABLE, decode, fault, mend, text_of, wide_encoding
from cds_service.hooks.feedback import parse_feedback
from cds_service.hooks.request import parse_cds_request
from cds_service.insight.doctor.resources import CONDITIONS

PROTOCOL = Path(__file__).parents[1] / "fixtures" / "protocol"
ANY = msgspec.json.Decoder()
GONE = "\N{REPLACEMENT CHARACTER}"

# Every UTF-16 code unit may stand anywhere, as JSON allows (RFC 8259, section 8.2).
_UNITS = st.text(
    st.characters(codec=None, categories=("Cs", "Ll", "Po", "So")) | st.sampled_from('\\"/ud8dc\U0001f600')
)


def unescaped(text: str) -> str:
    """Read code units as Unicode does: pairs are one character, the rest is replaced. Not the code under test."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


@pytest.mark.parametrize(
    ("text", "read", "reason"),
    [
        (rb'"\ud800"', GONE, "a high one alone"),
        (rb'"\uDC00x"', f"{GONE}x", "a low one alone"),
        (rb'"\ud83d\ude00"', "\U0001f600", "a pair"),
        (rb'"\ud83d\ud83d\ude00"', f"{GONE}\U0001f600", "one before a pair"),
        (rb'"\ude00\ud83d"', GONE * 2, "the wrong way round"),
        (rb'"\\ud800"', r"\ud800", "an escaped backslash begins no escape"),
        (rb'"\\\ud800"', f"\\{GONE}", "a backslash, and then one"),
        (rb'"\\\\\ud83d\\ude00"', rf"\\{GONE}\ude00", "text between what would be a pair"),
        (rb'"\ud83d\u0041"', f"{GONE}A", "before another escape"),
        (b'"\xed\xa0\xbd!"', f"{GONE}!", "as bytes"),
        (b'"\xed\xa0\xbd\xed\xb8\x80"', GONE * 2, "a pair as bytes: no UTF-8 either"),
        (b'"\xed\x9f\xbf"', "\ud7ff", "the last character before them"),
        (b'\xef\xbb\xbf"x"', "x", "a byte order mark"),
        (b'\xef\xbb\xbf "\\udfff"', GONE, "both"),
    ],
)
def test_decode_text_with_unreadable_parts_loses_those_only(text: bytes, read: str, reason: str) -> None:
    assert decode(ANY, text) == read, reason
    assert decode(ANY, msgspec.Raw(text)) == read, reason


@given(_UNITS, _UNITS)
def test_decode_any_code_units_is_read_as_unicode_says(name: str, value: str) -> None:
    body = json.dumps({name: value, "kept": 1}).encode()

    assert decode(ANY, body) == {unescaped(name): unescaped(value), "kept": 1}
    assert len(mend(body)) == len(body)


@given(st.text(st.characters(codec="utf-8")))
def test_mend_sound_json_leaves_it_as_it_is(text: str) -> None:
    for body in (json.dumps(text).encode(), json.dumps(text, ensure_ascii=False).encode()):
        assert mend(body).removeprefix(b"   ") == body.removeprefix(b"\xef\xbb\xbf")


@pytest.mark.parametrize(
    ("body", "said", "reason"),
    [
        (b"", "not JSON: it ends early, after byte 0", "nothing"),
        (b'{"a": "b', "not JSON: it ends early, after byte 8", "cut off"),
        (b'{"a": 1,}', "not JSON at byte 8", "a trailing comma"),
        (b'\xef\xbb\xbf{"a": NaN}', "not JSON at byte 9", "the mark counts"),
        (b'{"a": "\\ud800", "b": x}', "not JSON at byte 21", "the surrogate is not what is wrong"),
        (b'["ok", "\xff"]', "not UTF-8 at byte 8", "Latin-1"),
        ('{"a": 1}'.encode("utf-16"), "UTF-16 in place of UTF-8", "a Windows program"),
        ('{"a": 1}'.encode("utf-16-le"), "UTF-16 in place of UTF-8", "without a mark"),
        ('{"a": 1}'.encode("utf-16-be"), "UTF-16 in place of UTF-8", "the other order"),
        ('{"a": 1}'.encode("utf-32"), "UTF-32 in place of UTF-8", "rare"),
        (b"[" * 100_000, "not JSON: nested too deeply", "depth"),
        (b'["secret" 1]', "not JSON at byte 10", "nothing of it is quoted"),
    ],
)
def test_fault_names_the_place_and_quotes_nothing(body: bytes, said: str, reason: str) -> None:
    with pytest.raises(UNREADABLE) as caught:
        decode(ANY, body)

    assert fault(body, caught.value) == said, reason


@pytest.mark.parametrize(
    ("body", "said", "reason"),
    [
        ("p1\n".encode("utf-16"), "is UTF-16; save it as UTF-8", "Notepad's Unicode"),
        (b"p1\xe4\n", "is not UTF-8 at byte 2; save it as UTF-8", "Latin-1"),
    ],
)
def test_text_of_another_encoding_says_what_to_do(body: bytes, said: str, reason: str) -> None:
    with pytest.raises(ValueError, match=said):
        text_of(body)


def test_text_of_file_with_a_mark_skips_it() -> None:
    assert text_of(b"\xef\xbb\xbfp1\n") == "p1\n"
    assert wide_encoding(b"\xef\xbb\xbfp1") == ""


def test_parse_hook_with_unpaired_surrogate_in_unread_member_is_the_same_request() -> None:
    body = (PROTOCOL / "hook-with-unpaired-surrogate.json").read_bytes()
    request, without = parse_cds_request(body), parse_cds_request(body.replace(rb"\ud83d", b"!"))

    assert (request.context, set(request.prefetch)) == (without.context, set(without.prefetch))
    assert request.prefetch


def test_parse_feedback_with_one_in_the_second_of_three_keeps_all() -> None:
    item = (
        rb'{"card": "c%d", "outcome": "overridden", "outcomeTimestamp": "2026-03-09T23:00:00Z", "overrideReason": %b}'
    )
    reasons = [rb'{"userComment": "seen"}', rb'{"userComment": "seen \ud83d"}', b'{"userComment": "\xed\xa0\xbd"}']
    body = b'{"feedback": [' + b",".join(item % (n, reason) for n, reason in enumerate(reasons)) + b"]}"

    batch = parse_feedback(body)

    assert [item.user_comment for item in batch.items] == ["seen", f"seen {GONE}", GONE]
    assert not batch.problems


def test_read_bundle_with_one_in_an_extension_of_an_entry_keeps_the_entry() -> None:
    for text in (rb"\ud83d", b"\xed\xa0\xbd"):
        code = b'"code": {"text": "' + text + b'", "coding": [{"code": "C22.0", "display": "' + text + b'"}]}'
        entry = b'{"resource": {"resourceType": "Condition", "id": "c1", ' + code + b"}}"
        content = CONDITIONS.read(msgspec.Raw(b'{"resourceType": "Bundle", "entry": [' + entry + b"]}"))

        assert [condition.id for condition in content.resources] == ["c1"]
        assert content.resources[0].code is not None
        assert content.resources[0].code.coding[0].code == "C22.0"
        assert not content.malformed


@pytest.mark.parametrize("name", sorted(path.name for path in PROTOCOL.glob("jwks-*.json")))
def test_read_key_set_as_others_write_it_gives_one_key(name: str) -> None:
    held = read_key_set((PROTOCOL / name).read_bytes())
    found = held.find("k1")

    assert found is not None
    assert {algorithm: len(keys) for algorithm, keys in found.items()} == {"ES384": 1}
    assert not [*held.remarks()]
