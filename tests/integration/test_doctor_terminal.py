"""Doctor as a person starts it, on a terminal of a given width: a bar while it reads, colors, lines that fit."""

from __future__ import annotations

import fcntl
import gc
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING

from cds_service.insight.doctor.document import document
from cds_service.reports.as_text import as_text
from tests.support.charts import NOW, PLATELETS
from tests.support.hospital import hospital, measured, of_code
from tests.unit.insight.doctor.examining import examined, examined_folder

if TYPE_CHECKING:
    import pytest

COMMAND = Path(sys.executable).with_name("sii-cds")
COLUMNS = 72


def on_a_terminal(*arguments: str | Path) -> str:
    """Run the command with a terminal as its output, and return what it wrote there."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "NO_COLOR"}}
    with subprocess.Popen([COMMAND, *arguments], stdout=follower, stderr=follower, env=environment) as process:
        os.close(follower)
        written = bytearray()
        try:
            while part := os.read(leader, 65_536):
                written += part
        except OSError:
            # How Linux says that the other end is closed.
            pass
        os.close(leader)
        assert process.wait() == 1
    return written.decode()


def test_terminal_gets_a_bar_colors_and_lines_that_fit(tmp_path: Path) -> None:
    plan = hospital().change(of_code(PLATELETS, change=measured("10*9/L", times=1000, ucum=True)))
    export = plan.export(tmp_path / "export")

    written = on_a_terminal("doctor", export, "--at", NOW.isoformat())

    assert "Reading the export  [####" in written
    assert "\x1b[31m\x1b[1mBLOCKS" in written
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written[written.rindex("100%") :])
    assert max(map(len, text.splitlines())) <= COLUMNS


def test_chinese_names_take_two_columns_and_keep_tables_straight(tmp_path: Path) -> None:
    plan = hospital().change(
        of_code(
            PLATELETS, change=lambda r: r | {"code": {"coding": [r["code"]["coding"][0] | {"display": "血小板计数"}]}}
        )
    )

    lines = as_text(document(examined(plan, tmp_path)), 100).splitlines()

    (chinese,) = (line for line in lines if "血小板" in line)
    (english,) = (line for line in lines if "LOINC 731-0" in line)
    # Five characters more than it has take up room.
    assert chinese.index("platelets count") == english.index("lymphocytes count") - 5


def test_memory_does_not_grow_with_the_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice the patients, the same sample; what is held, a block of a file among it, is full in both."""
    monkeypatch.setattr("cds_service.insight.doctor.tallies.MOST_VALUES", 50)
    monkeypatch.setattr("cds_service.insight.doctor.export.passes._SUBJECTS", 50)
    peaks = []
    # The first run fills the caches of decoders and mappings.
    for number, patients in enumerate((20, 1200, 2400)):
        folder = hospital(patients).export(tmp_path / str(number))
        # What earlier tests left behind would be collected in one run and not in the other.
        gc.collect()
        tracemalloc.start()
        examined_folder(folder, patients=20)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

    assert peaks[2] < 1.1 * peaks[1]
