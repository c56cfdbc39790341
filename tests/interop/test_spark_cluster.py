"""`cohort assess --engine spark` on a cluster of a master and two workers, one of whose executors is killed."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

import pytest

from tests.support.cohort.assessed import DESIGNS, ENVIRONMENT, assess
from tests.support.cohort.exports import lines_of, write_export
from tests.support.cohort.spark_here import installed_pyspark
from tests.support.cohort.stories import cohort
from tests.support.serve_command import COMMAND

pyspark = installed_pyspark()
pytestmark = pytest.mark.timeout(900)

EXECUTOR = "CoarseGrainedExecutorBackend"
PARTITIONS = 24
REGISTERED = re.compile(r"Registering worker (\S+)")


def free_port() -> int:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def wait_for(found: Callable[[], bool], what: str, *, seconds: float = 240) -> None:
    end = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < end, f"{what} did not happen"
        time.sleep(0.1)


def begun(command: list[str], environment: dict[str, str], log: BinaryIO) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


@pytest.fixture
def master(tmp_path: Path) -> Iterator[str]:
    """The address of a cluster on loopback, with two workers of one core each."""
    port = free_port()
    address = f"spark://127.0.0.1:{port}"
    programs: list[tuple[str, ...]] = [("master.Master", "--port", str(port))]
    programs += [("worker.Worker", "-c", "1", "-m", "768m", "-d", str(tmp_path / f"worker-{n}"), address) for n in "12"]
    home = pyspark.__path__[0]
    environment = {**os.environ, "SPARK_HOME": home, "SPARK_DAEMON_MEMORY": "256m", "SPARK_LOCAL_IP": "127.0.0.1"}
    started = []
    log = tmp_path / "cluster.log"
    with log.open("wb") as stream:
        for name, *options in programs:
            command = [f"{home}/bin/spark-class", f"org.apache.spark.deploy.{name}"]
            command += ["--host", "127.0.0.1", "--webui-port", str(free_port()), *options]
            started.append(begun(command, environment, stream))
        try:
            # Each by its port: on a busy machine a worker registers several times.
            wait_for(lambda: len(set(REGISTERED.findall(log.read_text()))) == 2, "the start of two workers")
            yield address
        finally:
            for process in reversed(started):
                process.terminate()
                process.wait(60)


def executors(application: int) -> list[int]:
    """The executors that work for the driver at a port."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = file.read_text(errors="replace").split("\0")
        except OSError:
            continue
        if any(EXECUTOR in word for word in words) and any(f":{application}" in word for word in words):
            found.append(int(file.parent.name))
    return found


def kill_one_at_work(run: subprocess.Popen[bytes], port: int, folder: Path, log: Path) -> None:
    """Kill an executor when a few partitions are done, so that what it read and wrote is lost."""

    def rows() -> int:
        return len(list(folder.glob(".out.*.unfinished/spill/rows/*")))

    wait_for(lambda: rows() >= 3 or run.poll() is not None, "the first rows")
    working = executors(port)
    assert run.poll() is None, log.read_text()
    assert len(working) == 2
    assert rows() < PARTITIONS, "nothing was left to do"
    os.kill(working[0], signal.SIGKILL)


def test_spark_cluster_that_loses_an_executor_gives_the_bytes_of_the_local_engine(tmp_path: Path, master: str) -> None:
    histories = cohort(400, seed=23)
    export = write_export(tmp_path / "export", lines_of(histories))
    assess(export, tmp_path / "local")
    port = free_port()
    conf = {
        "spark.default.parallelism": PARTITIONS,
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.port": port,
        "spark.executor.memory": "512m",
    }
    words = [word for name, value in conf.items() for word in ("--conf", f"{name}={value}")]
    environment = {
        **os.environ,
        **ENVIRONMENT,
        "PYSPARK_SUBMIT_ARGS": " ".join(["--master", master, *words, "pyspark-shell"]),
        "PYSPARK_PYTHON": sys.executable,
    }
    out = tmp_path / "out"
    designs = [word for design in DESIGNS for word in ("--design", design)]
    command = [COMMAND, "cohort", "assess", export, "--out", out, "--identifiers", "plain", "--engine", "spark"]
    log = tmp_path / "run.log"
    with log.open("wb") as stream:
        run = begun([*map(str, command), *designs], environment, stream)
        try:
            kill_one_at_work(run, port, tmp_path, log)
            assert run.wait(600) == 0, log.read_text()
        finally:
            run.kill()
            run.wait()

    assert "Lost executor" in log.read_text() or "lost" in (tmp_path / "cluster.log").read_text().lower()
    for name in sorted(file.name for file in (tmp_path / "local").iterdir()):
        assert (out / name).read_bytes() == (tmp_path / "local" / name).read_bytes(), name
