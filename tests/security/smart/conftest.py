"""An EHR with one patient, and the site whose trend app it opens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.charts import PATIENT_ID, patient, prefetch
from tests.support.smart_server import running_smart_server
from tests.support.smart_site import SmartSite, smart_site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.smart_server import SmartServer


@pytest.fixture
def server() -> Iterator[SmartServer]:
    with running_smart_server(**{PATIENT_ID: prefetch(patient=patient(name=[{"family": "Marker"}]))}) as server:
        yield server


@pytest.fixture
def site(server: SmartServer, tmp_path: Path) -> SmartSite:
    return smart_site(tmp_path, server)
