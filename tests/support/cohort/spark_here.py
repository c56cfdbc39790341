"""Spark where it is installed: pyspark, which brings Java's part as well, and Java itself."""

from __future__ import annotations

import os
import shutil
from typing import Any

import pytest


def installed_pyspark() -> Any:
    """Return pyspark; a module that calls it is skipped, with the reason printed, where it or Java is missing."""
    pyspark = pytest.importorskip("pyspark", reason="pyspark is not installed: .ci/interop installs it")
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("there is no Java: .ci/interop installs it", allow_module_level=True)
    return pyspark
