"""Discovery and the prefetch templates it lists (requirements 9-25, 52-61)."""

import re
from collections import Counter
from urllib.parse import parse_qsl

import pytest

from tests.conformance.conftest import DISCOVERY, SERVICE, Service
from tests.conformance.outcomes import refused

SEMANTIC_VERSION = re.compile(r"\d+\.\d+(\.\d+)?")
TOKEN = re.compile(r"\{\{(.*?)\}\}")
# What both the root-level rule of 2.0.1 and the restrictions of later texts allow.
ROOT_TOKEN = re.compile(
    r"context\.(userId|patientId|encounterId)"
    r"|user(PractitionerId|PractitionerRoleId|PatientId|RelatedPersonId)"
)
# Search parameters by kind; everything else (chains, modifiers, _include) lies outside the recommended subset.
ALLOWED_PARAMETERS = frozenset({"patient", "code", "_sort", "_count"})


def test_requirement_010_discovery_is_served_at_its_path(service: Service) -> None:
    assert service.http.get(DISCOVERY).status_code == 200
    assert service.http.head(DISCOVERY).status_code == 200
    assert service.http.get(f"{DISCOVERY}?unknown=1").status_code == 200
    assert service.http.get(f"{DISCOVERY}/").data == service.http.get(DISCOVERY).data, "typed in with a slash"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_requirement_010_discovery_by_other_method_is_refused(service: Service, method: str) -> None:
    refused(service.http.open(DISCOVERY, method=method), 405)


def test_requirement_011_services_is_an_array(service: Service) -> None:
    assert isinstance(service.http.get(DISCOVERY).get_json()["services"], list)


def test_requirement_013_hook_is_patient_view(service: Service) -> None:
    assert service.discover()["hook"] == "patient-view"


@pytest.mark.parametrize("member", ["title", "description", "usageRequirements"])
def test_requirement_014_015_018_texts_are_not_empty(service: Service, member: str) -> None:
    text = service.discover()[member]

    assert isinstance(text, str)
    assert text.strip()
    # The description is a string in one version of the text and markdown in another: it reads alike in both.
    assert not re.search(r"[`*_#\[\]<>]", text)


def test_requirement_016_id_is_the_last_segment_of_the_path(service: Service) -> None:
    entry_id = service.discover()["id"]

    assert re.fullmatch(r"[a-z0-9-]+", entry_id), "needs no escaping"
    assert f"{DISCOVERY}/{entry_id}" == SERVICE
    refused(service.http.post(SERVICE, json={}), 400)


def test_requirement_017_prefetch_maps_keys_to_templates(service: Service) -> None:
    prefetch = service.discover()["prefetch"]

    assert prefetch.keys() == {"patient", "bloodCounts", "albumin", "conditions", "procedures"}
    assert all(isinstance(template, str) and template for template in prefetch.values())


def test_requirement_019_version_is_a_version_of_the_specification(service: Service) -> None:
    assert SEMANTIC_VERSION.fullmatch(service.discover()["version"])


def test_requirement_020_hook_version_is_left_out_or_that_of_the_library(service: Service) -> None:
    assert service.discover().get("hookVersion", "1.0") == "1.0"


def test_requirement_022_id_and_hook_are_unique_together(service: Service) -> None:
    entries = service.http.get(DISCOVERY).get_json()["services"]

    assert max(Counter((entry["id"], entry["hook"]) for entry in entries).values()) == 1


def test_requirement_023_discovery_is_answered_200(service: Service) -> None:
    assert service.http.get(DISCOVERY).status_code == 200


def tokens(service: Service) -> list[str]:
    return [token for template in service.discover()["prefetch"].values() for token in TOKEN.findall(template)]


def test_requirement_052_templates_refer_to_the_context(service: Service) -> None:
    assert set(tokens(service)) == {"context.patientId"}


def test_requirement_053_tokens_stand_in_double_braces(service: Service) -> None:
    for template in service.discover()["prefetch"].values():
        without_tokens = TOKEN.sub("", template)
        assert not set("{}") & set(without_tokens)
        assert "%7B" not in template.upper()


def test_requirement_054_055_056_tokens_are_root_level_context_fields(service: Service) -> None:
    assert all(ROOT_TOKEN.fullmatch(token) for token in tokens(service))


def test_requirement_057_058_059_templates_use_no_fhirpath(service: Service) -> None:
    assert not [token for token in tokens(service) if re.search(r"[()%+\s-]", token)]


def queries(service: Service) -> dict[str, list[tuple[str, str]]]:
    """Return the parameters of every search template."""
    templates = service.discover()["prefetch"].values()
    return {
        template: parse_qsl(template.partition("?")[2], strict_parsing=True)
        for template in templates
        if "?" in template
    }


def test_requirement_060_each_parameter_stands_once(service: Service) -> None:
    for template, query in queries(service).items():
        assert max(Counter(name for name, _ in query).values()) == 1, template


def test_requirement_061_queries_stay_in_the_recommended_subset(service: Service) -> None:
    for template in service.discover()["prefetch"].values():
        path, _, query = template.partition("?")
        assert re.fullmatch(r"[A-Z][A-Za-z]+" if query else r"[A-Z][A-Za-z]+/\{\{[^}]+\}\}", path), template
    for template, query_parameters in queries(service).items():
        assert {name for name, _ in query_parameters} <= ALLOWED_PARAMETERS, template


def test_requirement_061_codes_carry_their_system(service: Service) -> None:
    codes = [code for query in queries(service).values() for code in dict(query).get("code", "").split(",") if code]

    assert codes
    assert all(re.fullmatch(r"(https?://|urn:)[^|]+\|[^|]+", code) for code in codes)
    assert len(codes) == len(set(codes))


def test_requirement_061_sort_is_by_date_newest_first(service: Service) -> None:
    assert {dict(query)["_sort"] for query in queries(service).values() if "_sort" in dict(query)} == {"-date"}
