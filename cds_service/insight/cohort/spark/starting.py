"""What Spark needs before anything of it runs: pyspark, Java, and a configuration where nobody brings one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cds_service.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

_OLDEST_JAVA: Final = 17
_SECONDS: Final = 30
_VERSION: Final = re.compile(r'version "(\d+)')
_NO_PYSPARK: Final = "--engine spark needs pyspark, which is not installed: pip install 'pyspark>=4.0,<5'"
_NO_JAVA: Final = (
    "--engine spark needs Java 17 or newer, and {}. On Debian: apt-get install openjdk-17-jre-headless; "
    "for another one set JAVA_HOME"
)
# Set where spark-submit has started Java already.
_GATEWAY: Final = "PYSPARK_GATEWAY_PORT"
# Where nobody says otherwise. What lies on disks for a while is about patients, and the page of Spark asks for no
# password.
_DEFAULTS: Final = {
    "spark.app.name": "sii-cds cohort assess",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.io.encryption.enabled": "true",
    "spark.python.worker.memory": "256m",
}
# Of one machine alone: nobody else has to reach it.
_OF_ONE_MACHINE: Final = {"spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1"}


def require_spark() -> ModuleType:
    """Return pyspark. Raises MissingExtraError, with what to do, where it or Java is missing."""
    try:
        pyspark = import_module("pyspark")
    except ImportError as error:
        raise MissingExtraError(_NO_PYSPARK) from error
    if _GATEWAY not in os.environ:
        _require_java()
    return pyspark


def _require_java() -> None:
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home, "bin", "java")) if home else shutil.which("java")
    if java is None:
        raise MissingExtraError(_NO_JAVA.format("there is none"))
    try:
        told = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=_SECONDS, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MissingExtraError(_NO_JAVA.format(f"{java} cannot be started")) from error
    found = _VERSION.search(told.stderr + told.stdout)
    if found is None:
        raise MissingExtraError(_NO_JAVA.format(f"{java} does not tell its version"))
    if int(found[1]) < _OLDEST_JAVA:
        raise MissingExtraError(_NO_JAVA.format(f"{java} is Java {found[1]}"))


@contextmanager
def spark_context(workers: int, scratch: Path) -> Iterator[Any]:
    """Give a context under the configuration that the caller's environment brings; it is stopped at the end.

    Where it names no master, this machine with so many threads is meant, and `scratch` is for what Spark writes.
    """
    pyspark = require_spark()
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("PYSPARK_DRIVER_PYTHON", sys.executable)
    # Java first: before it, a configuration knows nothing of what the caller's environment or spark-submit says.
    pyspark.SparkContext._ensure_initialized()  # noqa: SLF001  there is no other way
    conf = pyspark.SparkConf()
    defaults = dict(_DEFAULTS)
    if not conf.contains("spark.master"):
        defaults |= {"spark.master": f"local[{workers}]", "spark.local.dir": str(scratch), **_OF_ONE_MACHINE}
    for name, value in defaults.items():
        conf.setIfMissing(name, value)
    context = pyspark.SparkContext(conf=conf)
    try:
        context.setLogLevel("ERROR")
        yield context
    finally:
        context.stop()
