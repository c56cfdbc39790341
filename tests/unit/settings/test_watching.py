"""A change is noticed once, whatever happens between looking and reading."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cds_service.settings.watching import ConfigurationWatcher, identify

if TYPE_CHECKING:
    from pathlib import Path


def check_twice(watcher: ConfigurationWatcher) -> None:
    """A change counts when the file is the same the second time."""
    watcher.check()
    watcher.check()


def test_check_without_a_change_does_nothing(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("1")
    calls: list[str] = []
    watcher = ConfigurationWatcher(lambda: [file], lambda: calls.append("x"), {file: identify(file)})
    watcher.check()
    assert calls == []


def test_check_permissions_that_changed_are_a_change(tmp_path: Path) -> None:
    """A file that could not be read, and now can."""
    file = tmp_path / "a.yaml"
    file.write_text("1")
    calls: list[str] = []
    watcher = ConfigurationWatcher(lambda: [file], lambda: calls.append("x"), {file: identify(file)})
    file.chmod(0o640)
    check_twice(watcher)
    assert calls == ["x"]


def test_check_change_between_reading_and_watching_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("1")
    known = {file: identify(file)}
    file.write_text("changed")
    calls: list[str] = []
    watcher = ConfigurationWatcher(lambda: [file], lambda: calls.append("x"), known)
    watcher.check()
    watcher.check()
    assert calls == ["x"]


def test_check_change_while_reloading_is_noticed_the_next_time(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("1")
    calls: list[str] = []

    def reload() -> None:
        calls.append("x")
        if len(calls) == 1:
            file.write_text("changed again")

    watcher = ConfigurationWatcher(lambda: [file], reload, {file: identify(file)})
    file.write_text("22")
    for _ in range(5):
        watcher.check()
    assert calls == ["x", "x"]


def test_check_file_that_is_still_being_written_is_left_until_it_is_settled(tmp_path: Path) -> None:
    """Half of the file would have been a configuration too, with the published cut-off instead of the site's."""
    file = tmp_path / "a.yaml"
    file.write_text("1")
    read: list[str] = []
    watcher = ConfigurationWatcher(lambda: [file], lambda: read.append(file.read_text()), {file: identify(file)})
    for text in ("", "rule: {cutoff: 4", "rule: {cutoff: 405.08}\n"):
        file.write_text(text)
        watcher.check()
    assert read == []
    watcher.check()
    watcher.check()
    assert read == ["rule: {cutoff: 405.08}\n"]


def test_check_file_newly_named_removed_or_replaced_is_a_change(tmp_path: Path) -> None:
    first, second = tmp_path / "a.yaml", tmp_path / "b.yaml"
    first.write_text("1")
    second.write_text("1")
    files = [first]
    calls: list[int] = []
    watcher = ConfigurationWatcher(lambda: files, lambda: calls.append(1), {first: identify(first)})
    files.append(second)
    check_twice(watcher)
    second.unlink()
    check_twice(watcher)
    other = tmp_path / "c.yaml"
    other.write_text("1")
    other.replace(first)
    check_twice(watcher)
    assert len(calls) == 3


def test_tell_asks_for_a_reload_though_nothing_changed(tmp_path: Path) -> None:
    calls: list[int] = []
    watcher = ConfigurationWatcher(lambda: [tmp_path / "none"], lambda: calls.append(1), {})
    watcher.tell()
    watcher.check()
    watcher.check()
    assert calls == [1]
