"""An edge over stand-ins, and a client of it."""

import pytest
from flask.testing import FlaskClient

from tests.unit.web.fakes import Edge


@pytest.fixture
def edge() -> Edge:
    return Edge()


@pytest.fixture
def client(edge: Edge) -> FlaskClient:
    return edge.application().test_client()
