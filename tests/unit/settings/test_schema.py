"""The JSON Schema accepts every file that the models accept, and helps an editor with the usual mistakes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.settings import SettingsError, settings_from_dict
from cds_service.settings.defaults import commented_defaults
from cds_service.settings.models import SECTIONS, Settings
from cds_service.settings.yaml_source import parse_document
from tests.unit.settings.test_values import ACCEPTED, OPEN

jsonschema = pytest.importorskip("jsonschema")

SCHEMA = Settings.model_json_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def as_json(value: object) -> Any:
    """Give lists the type that a JSON reader gives them."""
    if isinstance(value, dict):
        return {key: as_json(item) for key, item in value.items()}
    return [as_json(item) for item in value] if isinstance(value, tuple | list) else value


def test_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(("text", "reason"), [*ACCEPTED, (commented_defaults().replace(OPEN, ""), "defaults")])
def test_schema_accepts_what_the_models_accept(text: str, reason: str) -> None:
    data = as_json(parse_document(text, "f").data)
    assert [error.message for error in VALIDATOR.iter_errors(data)] == [], reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("server: {prot: 1}", "unknown key"),
        ("rules: {}", "unknown section"),
        ("server: {port: '80'}", "text instead of a number"),
        ("server: {port: 70000}", "bound"),
        ("rule: {cutoff: 0}", "bound of the exact number"),
        ("rule: {cutoff: '405.08'}", "text instead of the exact number"),
        ("server: {hook_deadline_seconds: 0}", "bound of seconds"),
        ("cards: {show_indeterminate: yes}", "word instead of a boolean"),
        ("service: {mode: slient}", "choice"),
        ("cards: []", "list instead of keys"),
        ("clients: [{name: a}]", "required key"),
        ("normalization: {accept_statuses: []}", "empty list"),
    ],
)
def test_schema_refuses_the_usual_mistakes(text: str, reason: str) -> None:
    assert not VALIDATOR.is_valid(as_json(parse_document(text, "f").data)), reason


value = st.none() | st.booleans() | st.integers(-1, 70000) | st.sampled_from(["active", "UTC", "x", "staged", 0.5])
sections = st.one_of(
    *(
        st.tuples(
            st.just(name),
            st.dictionaries(
                st.sampled_from(sorted(model.model_fields)), value | st.lists(value, max_size=2), max_size=2
            ),
        )
        for name, model in SECTIONS.items()
    )
)


@given(section=sections)
@settings(max_examples=300)
def test_schema_accepts_any_section_that_the_models_accept(
    tmp_path_factory: pytest.TempPathFactory, section: tuple[str, dict[str, object]]
) -> None:
    data = {"authentication": {"required": False}, section[0]: section[1]}
    try:
        settings_from_dict(data, tmp_path_factory.getbasetemp())
    except SettingsError:
        return
    assert VALIDATOR.is_valid(as_json(data))
