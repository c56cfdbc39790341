"""The systemd unit of the operations guide: systemd takes it, and the service runs within what it allows."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cds_service.settings.starting_file import AUDIT_FOLDER, AUDIT_KEY, STATE_FOLDER, starting_file
from tests.architecture.checkout import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

GUIDE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
(UNIT,) = re.findall(r"^```ini\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
HOME = "/opt/sii-cds"
COMMAND = Path(sys.executable).with_name("sii-cds")
# What systemd calls "OK"; from 5 on it is "MEDIUM".
WORST_EXPOSURE = 2.0

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")


def settings_of_the_unit() -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(UNIT)
    return parser["Service"]


@needs_systemd
def test_unit_is_one_that_systemd_takes(tmp_path: Path) -> None:
    file = tmp_path / "sii-cds.service"
    file.write_text(UNIT.replace(f"{HOME}/venv/bin/sii-cds", str(COMMAND)), encoding="utf-8")

    answer = subprocess.run(["systemd-analyze", "verify", file], capture_output=True, text=True, check=False)

    assert (answer.returncode, answer.stderr) == (0, "")


@needs_systemd
def test_unit_leaves_little_open(tmp_path: Path) -> None:
    file = tmp_path / "sii-cds.service"
    file.write_text(UNIT, encoding="utf-8")

    command = ["systemd-analyze", "security", "--no-pager", "--offline=true", str(file)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)

    level = re.search(r"Overall exposure level for sii-cds.service: ([\d.]+)", answer.stdout)
    assert level is not None
    assert float(level[1]) <= WORST_EXPOSURE


def test_unit_may_write_to_the_folders_of_the_starting_file_alone() -> None:
    unit = settings_of_the_unit()

    assert unit["ProtectSystem"] == "strict"
    assert unit["ReadWritePaths"].split() == [f"{HOME}/{AUDIT_FOLDER}", f"{HOME}/{STATE_FOLDER}"]
    assert f"directory: {AUDIT_FOLDER}\n" in starting_file()
    assert f"url: sqlite:///{STATE_FOLDER}/state.db\n" in starting_file()


def test_commands_before_the_unit_give_its_user_what_the_service_owns() -> None:
    commands = "".join(re.findall(r"^```console\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)).splitlines()
    unit, user = settings_of_the_unit(), commands[0].split()[-1]

    assert commands[0].startswith("useradd --system ")
    assert (unit["User"], unit["Group"]) == (user, user)
    assert f"chown -R {user}:{user} {AUDIT_FOLDER} {STATE_FOLDER} {AUDIT_KEY}" in commands
    assert commands.index(f"chown -R root:root {HOME}") < commands.index(
        f"chown -R {user}:{user} {AUDIT_FOLDER} {STATE_FOLDER} {AUDIT_KEY}"
    )


# As systemd does it: everything read-only but the two folders, a /tmp of its own, no capability, no new privilege, no
# memory that is writable and executable (prctl 65, where the kernel knows it).
CONFINED = """
mount --make-rprivate /
mount --bind {site} {site}
mount --bind {site}/audit {site}/audit
mount --bind {site}/state {site}/state
mount -o remount,bind,ro {site}
mount -o remount,bind,ro /
mount -t tmpfs tmpfs {temporary}
cd {site}
exec setpriv --no-new-privs --bounding-set=-all --inh-caps=-all {python} -c \
    'import ctypes, os, sys; ctypes.CDLL(None).prctl(65, 1, 0, 0, 0); os.execv(sys.argv[1], sys.argv[1:])' \
    {command} serve --config sii-cds.yaml --port {port}
"""


def can_confine() -> bool:
    if shutil.which("unshare") is None or shutil.which("setpriv") is None or os.geteuid() != 0:
        return False
    command = ["unshare", "--mount", "sh", "-c", "mount --make-rprivate / && mount -t tmpfs tmpfs /tmp"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@contextmanager
def confined(site: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    # It would hide a checkout, or a site, that lies there.
    is_hidden = any(path.is_relative_to("/tmp") for path in (site, ROOT))  # noqa: S108  nothing is written to it
    script = CONFINED.format(
        site=shlex.quote(str(site)),
        python=shlex.quote(sys.executable),
        command=shlex.quote(str(COMMAND)),
        port=port,
        temporary="/var/tmp" if is_hidden else "/tmp",  # noqa: S108  it is mounted anew
    )
    command = ["unshare", "--mount", "sh", "-euc", script]
    environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "SII_CDS__AUTHENTICATION__REQUIRED": "false"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        try:
            yield process
        finally:
            process.terminate()


def answers(port: int, process: subprocess.Popen[bytes]) -> int:
    """The status of /readyz, as soon as there is one."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
                return int(answer.status)
        except OSError:
            time.sleep(0.2)
    process.terminate()
    raise AssertionError(process.communicate()[0].decode())


@pytest.mark.skipif(not can_confine(), reason="needs root, unshare and setpriv")
def test_service_within_the_unit_is_ready_and_writes_to_its_two_folders_alone(tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    subprocess.run([COMMAND, "config", "init", site / "sii-cds.yaml"], check=True, capture_output=True)
    file = site / "sii-cds.yaml"
    file.write_text(file.read_text(encoding="utf-8").partition("\nclients:")[0], encoding="utf-8")
    before = {path.relative_to(site) for path in site.rglob("*")}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    with confined(site, port) as process:
        assert answers(port, process) == 200

    made = {path.relative_to(site) for path in site.rglob("*")} - before
    assert {path.parts[0] for path in made} == {AUDIT_FOLDER, STATE_FOLDER}
