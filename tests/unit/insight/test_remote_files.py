"""Addresses of stores as paths: tried with pyarrow's store of this machine's files, since no other one is here."""

import pickle
from pathlib import Path

import pytest

from cds_service.insight.cohort.inputs import find_inputs
from cds_service.insight.sources.export_files import can_be_split, read_line_blocks, read_split_blocks
from cds_service.insight.sources.remote_files import RemotePath, is_address, parse_address

LINES = b'{"resourceType":"Patient","id":"a"}\n{"resourceType":"Patient","id":"b"}\n'


@pytest.mark.parametrize(
    "address",
    ["hdfs://namenode:8020/exports/2026", "s3a://bucket/exports/Patient.ndjson", "s3://bucket", "file:///tmp/export"],
)
def test_address_is_kept_as_it_was_given(address: str) -> None:
    path = parse_address(address)

    assert is_address(address)
    assert path.address == address
    assert pickle.loads(pickle.dumps(path)) == path  # noqa: S301
    assert (path / "b.ndjson").address == f"{address}/b.ndjson"


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("ftp://host/export", "another scheme"),
        ("hdfs:///exports", "no host: which one is meant depends on the machine"),
        ("s3a://", "no bucket"),
        ("file://host/export", "a host that files do not have"),
    ],
)
def test_address_that_names_no_place_is_refused(address: str, reason: str) -> None:
    with pytest.raises(ValueError, match="://"):
        parse_address(address)


@pytest.mark.parametrize("path", ["export", "s3a:/bucket", "C:/export"])
def test_path_of_this_machine_is_no_address(path: str) -> None:
    assert not is_address(path)


def test_export_by_address_is_found_and_read_as_by_path(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name in ("Patient.ndjson", "deep/Condition.ndjson", "other.txt"):
        (tmp_path / name).write_bytes(LINES)
    manifest = (
        '{"transactionTime":"2026-01-01T00:00:00Z","output":[{"type":"Patient","url":"https://x/Patient.ndjson"}]}'
    )
    (tmp_path / "manifest.json").write_text(manifest)
    remote, local = find_inputs([parse_address(f"file://{tmp_path}")]), find_inputs([tmp_path])

    assert [file.name for file in remote.files] == [file.name for file in local.files]
    assert [file.name for file in remote.files] == ["Patient.ndjson", "deep/Condition.ndjson"]
    assert remote.size == local.size
    assert [one.transaction_time for one in remote.manifests] == ["2026-01-01T00:00:00Z"]
    assert remote.manifests[0].missing == ()
    for file in remote.files:
        assert isinstance(file.path, RemotePath)
        assert can_be_split(file.path)
        assert list(read_line_blocks(file.path, lambda _: None)) == [LINES.splitlines()]
        assert list(read_split_blocks(file.path, 10, len(LINES))) == [LINES.splitlines()[1:]]
