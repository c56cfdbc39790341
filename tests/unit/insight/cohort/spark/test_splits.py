"""Files in pieces: together they hold every line once, wherever the cuts fall."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.insight.cohort.reading import ExportFile
from cds_service.insight.cohort.spark.splits import split_up
from cds_service.insight.sources import export_files
from cds_service.insight.sources.export_files import read_split_blocks

LINE = b'{"resourceType":"Patient","id":"a"}\n'


@given(
    lines=st.lists(st.sampled_from([b"", b"a", b"bc", b"\r", b"dddd", b"\xff", b"e" * 40]), max_size=30),
    size=st.integers(1, 50),
    block=st.integers(1, 64),
    ends=st.booleans(),
)
def test_pieces_wherever_they_are_cut_hold_every_line_once(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], size: int, block: int, *, ends: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / "cut.ndjson"
    content = b"\n".join(lines) + (b"\n" if ends and lines else b"")
    path.write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(export_files, "_BLOCK", block)
        found = [
            line
            for start in range(0, len(content), size)
            for read in read_split_blocks(path, start, min(start + size, len(content)))
            for line in read
        ]

    whole = content.split(b"\n")
    assert found == (whole if whole[-1] else whole[:-1])


@pytest.mark.parametrize(
    ("content", "pieces", "reason"),
    [
        (LINE, 1, "small"),
        (LINE * 10, 5, "four ranges, and the hash of the whole"),
        (gzip.compress(LINE * 10_000), 1, "gzip is read from its beginning"),
        (b'{\n  "resourceType":\n' + LINE * 10, 1, "another form: the file is refused as a whole"),
        (b"\xff\xfe{\x00\n\x00" + LINE * 10, 1, "UTF-16 is refused as a whole, too"),
        (b"x" * 100, 1, "no line feed"),
    ],
)
def test_split_up_cuts_plain_files_alone(tmp_path: Path, content: bytes, pieces: int, reason: str) -> None:
    path = tmp_path / "a.ndjson"
    path.write_bytes(content)
    size = 90
    found = list(split_up([ExportFile(path, "a.ndjson")], size))

    assert len(found) == pieces, reason
    assert [split.piece for split in found] == list(range(pieces))
    assert sum(split.only_hash for split in found) == (pieces > 1)
