"""Files that a configuration names are read once, and stay what they were."""

from pathlib import Path

import pytest

from cds_service.settings.named_files import MOST_BYTES, holding, read_named_file


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "jwks.json"
    path.write_bytes(b"first")
    return path


def test_held_file_that_is_deleted_is_what_it_was(file: Path) -> None:
    contents: dict[Path, bytes] = {}
    with holding(contents):
        assert read_named_file(file) == b"first"
    file.unlink()

    with holding(contents):
        assert read_named_file(file) == b"first"
    with pytest.raises(FileNotFoundError):
        read_named_file(file)


def test_file_read_outside_is_what_it_is_now(file: Path) -> None:
    with holding({file: b"held"}):
        assert read_named_file(file) == b"held"
    assert read_named_file(file) == b"first"


def test_holding_that_fails_leaves_nothing_held(file: Path) -> None:
    with pytest.raises(ZeroDivisionError), holding({file: b"held"}):
        raise ZeroDivisionError
    assert read_named_file(file) == b"first"


def test_endless_file_is_read_to_the_limit_only(file: Path) -> None:
    file.write_bytes(b"x" * (MOST_BYTES + 100))

    assert len(read_named_file(file)) == MOST_BYTES + 1
