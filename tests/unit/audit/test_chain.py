"""One line of the chain: its form, and its link as anyone can compute it."""

from __future__ import annotations

import hashlib
import hmac
import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from cds_service.audit.chain import GENESIS, ChainKey, bind, encode_payload, read_line
from cds_service.audit.keys import pseudonym, read_key
from cds_service.errors import ConfigurationError
from tests.unit.audit.samples import KEY, audit_log, feedback_record, files_of, hook_record

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PREVIOUS = "ab" * 32


def test_bind_keyed_link_is_hmac_over_previous_link_and_line() -> None:
    line, link = bind(encode_payload(feedback_record()), 7, PREVIOUS, ChainKey(KEY))

    body, _, rest = line.partition(b',"link":"')
    assert rest == link.encode() + b'"}\n'
    assert link == hmac.new(KEY, PREVIOUS.encode() + body, hashlib.sha256).hexdigest()


def test_bind_without_key_link_is_sha256() -> None:
    line, link = bind(encode_payload(feedback_record()), 7, GENESIS, ChainKey(None))

    assert link == hashlib.sha256(GENESIS.encode() + line.partition(b',"link":"')[0]).hexdigest()


def test_bind_line_is_one_json_object_that_can_be_read_back() -> None:
    record = hook_record(user='Practitioner/","link":"\n')
    line, link = bind(encode_payload(record), 7, PREVIOUS, ChainKey(KEY))

    read = read_line(line)
    assert read is not None
    assert (read.sequence, read.kind, read.link) == (7, "hook", link)
    assert line.count(b"\n") == 1
    assert json.loads(line)["user"] == record.user


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda line: line[:-1], "no line feed"),
        (lambda line: line[1:], "no beginning"),
        (lambda line: line.replace(b'"sequence":7', b'"sequence":07'), "another form of the number"),
        (lambda line: line.replace(b'"sequence":7', b'"sequence": 7'), "another form of the JSON"),
        (lambda line: line[:-5] + b'G"}\n', "no hexadecimal digit"),
        (lambda line: line[:-4].upper() + line[-4:], "upper case"),
        (lambda _: b"{}\n", "some JSON"),
        (lambda _: b"\xff\xfe\n", "no text"),
    ],
)
def test_read_line_anything_else_is_no_line(spoil: Callable[[bytes], bytes], reason: str) -> None:
    line, _ = bind(encode_payload(feedback_record()), 7, PREVIOUS, ChainKey(KEY))

    assert read_line(spoil(line)) is None, reason


def test_chain_of_unkeyed_log_can_be_checked_without_this_package(tmp_path: Path) -> None:
    log = audit_log(tmp_path, key=None)
    log.append(hook_record())
    log.append(feedback_record())
    script = """
import hashlib, sys
link = "0" * 64
for line in open(sys.argv[1], "rb"):
    body, _, rest = line.rpartition(b',"link":"')
    link = hashlib.sha256(link.encode() + body).hexdigest()
    assert rest == link.encode() + b'"}\\n'
print(link)
"""
    answer = subprocess.run(
        [sys.executable, "-c", script, str(files_of(tmp_path)[0])], capture_output=True, text=True, check=True
    )

    assert answer.stdout.strip() == log.head().link


def test_key_id_tells_keys_apart_and_nothing_more() -> None:
    ids = {ChainKey(key).key_id for key in (KEY, KEY + b"x", None)}

    assert len(ids) == 3
    assert ChainKey(KEY).key_id == ChainKey(bytes(KEY)).key_id


def test_pseudonym_is_no_link() -> None:
    # A patient id chosen to look like a line must not give the link of that line.
    line, link = bind(encode_payload(feedback_record()), 7, PREVIOUS, ChainKey(KEY))

    assert pseudonym(KEY, PREVIOUS + line.partition(b',"link":"')[0].decode()) != f"hmac:{link}"


@pytest.mark.parametrize(
    ("content", "key", "reason"),
    [
        (b"k" * 32, b"k" * 32, "raw bytes"),
        (b"k" * 32 + b"\n", b"k" * 32, "written by a text tool"),
        (b"k" * 31 + b" \n\n", b"k" * 31 + b" \n", "only one line feed is not of the key"),
    ],
)
def test_read_key_takes_the_bytes_of_the_file(tmp_path: Path, content: bytes, key: bytes, reason: str) -> None:
    (tmp_path / "key").write_bytes(content)

    assert read_key(tmp_path / "key") == key, reason


@pytest.mark.parametrize(("content", "reason"), [(None, "missing"), (b"", "empty"), (b"k" * 15 + b"\n", "too short")])
def test_read_key_unusable_file_is_a_configuration_error(tmp_path: Path, content: bytes | None, reason: str) -> None:
    if content is not None:
        (tmp_path / "key").write_bytes(content)

    with pytest.raises(ConfigurationError, match="audit key"):
        read_key(tmp_path / "key")
