"""Whatever stands in a configuration file or in the environment: settings, or the error that names the problems."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cds_service.settings import Settings, SettingsError, load_settings
from cds_service.settings.environment import VARIABLES
from cds_service.settings.models import SECTIONS, ClientSettings

if TYPE_CHECKING:
    from pathlib import Path

KEYS = sorted({*Settings.model_fields, *(key for model in SECTIONS.values() for key in model.model_fields)})
CLIENT_KEYS = sorted(ClientSettings.model_fields)

SIGNS = tuple("[]{}'\"\\|>#~\t\r\x85\u2028\0/")
PIECES = ("\n", "\n  ", "\n    ", " ", ": ", "- ", ", ", "\\U00110000", "&a ", "*a", "!!str ", "!x", "? ", "<<", "..")
VALUES = ("%YAML 1.1\n", "---\n", "...\n", "1", "-1", "1e3", ".inf", "true", "yes", "https://a.example", "sqlite:///a")

yaml_pieces = st.sampled_from([*SIGNS, *PIECES, *VALUES, *KEYS, *CLIENT_KEYS])
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["active", "http://127.0.0.1/", "https://[", "sqlite:///x", "UTC", "a\0b", "\ud800", "1" * 5000])
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(CLIENT_KEYS), inner, max_size=4),
)
trees = st.dictionaries(
    st.sampled_from(sorted(Settings.model_fields)) | st.text(max_size=5),
    st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), values, max_size=4) | values,
    max_size=5,
)

tolerant = settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])


def outcome(path: Path, environ: dict[str, str]) -> Settings | SettingsError:
    """Load, and hand back the one error that is allowed."""
    try:
        return load_settings(path, environ)
    except SettingsError as error:
        return error


def assert_explained(found: Settings | SettingsError) -> None:
    """Settings have a hash; an error has at least one problem, each on one printable line."""
    if isinstance(found, Settings):
        assert len(found.hash) == 12
        return
    assert found.problems
    for problem in found.problems:
        str(problem).encode()
        assert "\n" not in str(problem)


@given(raw=st.binary(max_size=200))
@tolerant
def test_any_bytes_give_settings_or_the_error(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "c.yaml"
    path.write_bytes(raw)
    assert_explained(outcome(path, {}))


@given(pieces=st.lists(yaml_pieces, max_size=30))
@tolerant
def test_any_yaml_like_text_gives_settings_or_the_error(tmp_path: Path, pieces: list[str]) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("".join(pieces), encoding="utf-8")
    assert_explained(outcome(path, {}))


@given(tree=trees)
@tolerant
def test_any_values_give_settings_or_the_error(tmp_path: Path, tree: dict[str, object]) -> None:
    # JSON is YAML: every value reaches the models as it is meant.
    path = tmp_path / "c.yaml"
    path.write_text(json.dumps(tree), encoding="utf-8")
    assert_explained(outcome(path, {}))


@given(
    environ=st.dictionaries(
        st.sampled_from(sorted(VARIABLES)) | st.text(max_size=8).map(lambda tail: f"SII_CDS__{tail}"),
        st.text(max_size=20) | st.lists(yaml_pieces, max_size=6).map("".join),
        max_size=4,
    )
)
@tolerant
def test_any_environment_gives_settings_or_the_error(tmp_path: Path, environ: dict[str, str]) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("authentication: {required: false}\n")
    assert_explained(outcome(path, environ))
