"""Bundles and whole hooks: nothing is lost, nothing is made up, and SII is what its numbers give."""

from __future__ import annotations

import json
import tomllib
from datetime import UTC
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from cds_service.acquisition.bundles import BundleFailedError, BundleReader
from cds_service.acquisition.resources import Observation
from cds_service.cards.builder import CardBuilder
from cds_service.cards.extension import assessment_extension
from cds_service.clinical.evidence import RULE_VERSION
from cds_service.clinical.outcomes import AboveCutoff, Indeterminate, NotAboveCutoff, NotEligible
from cds_service.clinical.reasons import Reason
from cds_service.decision.flow import decide
from cds_service.errors import DataUnavailableError, MalformedRequestError, PatientMismatchError, WrongHookError
from cds_service.hooks.request import parse_cds_request
from cds_service.services.sii_recurrence_risk import SII_RECURRENCE_RISK as SII
from tests.conformance.answers import HOOKS
from tests.fuzz.targets.strictness import NotJSONError, is_comparable, repeats_a_member, strict_json
from tests.support import openapi
from tests.support.charts import NOW, bundle, days_ago, draw, hook_request, observation
from tests.unit.normalization.reading import CLIENT, site

_READER = BundleReader(Observation)
_SITE = site()
_UUID = "00000000-0000-4000-8000-000000000000"
_HARMLESS = ["warning", "information", "success"]


def bundle_seeds() -> list[bytes]:
    """Return Bundles with results, a failure, a next page, a panel and entries of other types."""
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning"}]}
    panel = observation("58410-2", None, component=draw(), valueQuantity=None)
    link = [{"relation": "next", "url": "https://ehr.example/next"}]
    patient = {"resourceType": "Patient", "id": "p1"}
    bundles = [bundle(*draw()), bundle(), bundle(outcome), bundle(panel, patient), bundle(*draw(), link=link)]
    return [json.dumps(each).encode() for each in bundles] + [b"null", b'{"resourceType":"Bundle","entry":[5,null,{}]}']


def check_bundle(data: bytes) -> None:
    """Read a Bundle and compare it with what json sees in it."""
    try:
        seen = strict_json(data)
    except NotJSONError:
        return
    if not is_comparable(seen):
        return
    try:
        content = _READER.read(msgspec.Raw(data))
    except BundleFailedError:
        assert _may_fail(seen), "a Bundle that can be read was called failed"
        return
    assert isinstance(seen, dict)
    assert seen["resourceType"] == "Bundle"
    entries = seen.get("entry") or []
    sent = [e["resource"] for e in entries if isinstance(e, dict) and isinstance(e.get("resource"), dict)]
    ours = [resource for resource in sent if resource.get("resourceType") == "Observation"]
    assert len(ours) <= len(content.resources) + len(content.malformed) <= len(entries), "entries were lost or made up"
    left = iter(ours)
    for found in content.resources:
        # In their order; those in between are malformed.
        assert any(_is_same(found, each) for each in left), "a resource that was not sent"


def _may_fail(seen: Any) -> bool:
    if not isinstance(seen, dict) or seen.get("resourceType") != "Bundle" or repeats_a_member(seen):
        return True
    if seen.get("type") not in (None, "searchset", "collection"):
        return True
    entry, link = seen.get("entry"), seen.get("link")
    if not all(part is None or isinstance(part, list) for part in (entry, link)):
        return True
    if any(_is_bad_link(each) for each in link or ()):
        return True
    resources = [each.get("resource") for each in entry or () if isinstance(each, dict)]
    return any(isinstance(r, dict) and r.get("resourceType") == "OperationOutcome" and _is_error(r) for r in resources)


def _is_bad_link(link: Any) -> bool:
    return not isinstance(link, dict) or any(not isinstance(link.get(k) or "", str) for k in ("relation", "url"))


def _is_error(outcome: dict[str, Any]) -> bool:
    issues = outcome.get("issue")
    if not isinstance(issues, list) or not issues:
        return True
    return any(not isinstance(i, dict) or i.get("severity") not in _HARMLESS for i in issues)


def _is_same(found: Observation, sent: dict[str, Any]) -> bool:
    quantity, theirs = found.valueQuantity, sent.get("valueQuantity")
    if found.id != sent.get("id") or found.status != sent.get("status") or (quantity is None) != (theirs is None):
        return False
    if quantity is None:
        return True
    if not isinstance(theirs, dict):
        return False
    ours = Decimal(quantity.value) if type(quantity.value) is int else quantity.value
    return bool(ours == theirs.get("value") and quantity.unit == theirs.get("unit"))


def hook_seeds() -> list[bytes]:
    """Return requests for each outcome, and draws that must not be used."""
    shares = [observation("770-8", 60, "%"), observation("736-9", 20, "%"), observation("777-3", 200)]
    requests = [
        *(body for body, _ in HOOKS.values()),
        hook_request(*shares),
        hook_request(*draw(when=days_ago(5))),
        hook_request(*draw(when=days_ago(100))),
        hook_request(*draw(lymphocytes=0)),
        hook_request(without=("bloodCounts",)),
    ]
    return [json.dumps(body).encode() for body in requests]


def check_hook(data: bytes) -> None:
    """Decide on a request and check the decision by its own numbers, the vocabulary and the published schema."""
    try:
        request = parse_cds_request(data)
        decision = decide(request, CLIENT, _SITE, NOW)
    except (MalformedRequestError, WrongHookError, PatientMismatchError, DataUnavailableError):
        return
    assessment = decision.assessment
    told = assessment_extension(RULE_VERSION, assessment, decision.facts.excluded_reasons)
    problems = [error.message for error in openapi.schema_named("Assessment").iter_errors(_as_json(told))]
    assert not problems, problems
    cards = CardBuilder(SII.voice, _SITE.cards, _SITE.policy, _SITE.mappings.version).build(assessment, lambda: _UUID)
    for card in _as_json(cards):
        problems = [error.message for error in openapi.schema_named("Card").iter_errors(card)]
        assert not problems, problems
    match assessment:
        case NotEligible():
            assert decision.laboratory is None
        case Indeterminate():
            assert assessment.reasons
            assert all(isinstance(reason, Reason) for reason in assessment.reasons)
        case AboveCutoff() | NotAboveCutoff():
            _check_decided(assessment, data)
    if not isinstance(assessment, NotEligible) and decision.laboratory is not None:
        assert sum(assessment.exclusions.values()) == len(decision.laboratory.counts.excluded)


def _as_json(value: Any) -> Any:
    return json.loads(msgspec.json.encode(value))


def _check_decided(assessment: AboveCutoff | NotAboveCutoff, data: bytes) -> None:
    """Compute SII again from what was reported, with the factors as the table's text has them."""
    results = assessment.timed.draw.results
    platelets, neutrophils, lymphocytes = (_recomputed(result) for result in results)
    sii = platelets * neutrophils / lymphocytes
    above = sii > Fraction("405.08")
    assert above == isinstance(assessment, AboveCutoff)
    assert above == (assessment.sii > Decimal("405.08")), "shown on the wrong side"
    assert abs(Fraction(assessment.sii) - sii) <= Fraction(1, 2000)
    try:
        text = json.dumps(json.loads(data)["prefetch"])
    except UnicodeDecodeError:
        # Texts that are not read are not checked for UTF-8 (openapi.json says so).
        return
    for result in results:
        assert result.effective.day <= NOW.astimezone(UTC).date().replace(day=24)
        identifier = result.origin.reference.partition("/")[2]
        assert json.dumps(identifier)[1:-1] in text, "a result that was not sent"


def _recomputed(result: Any) -> Fraction:
    reported = Fraction(result.reported.value)
    ratio = Fraction(result.quantity.value) / reported if reported else Fraction(1)
    # Shares of both spellings are one basis; which one a laboratory meant is settled beside the partner.
    assert not reported or ratio in _factors(), f"{ratio} is the factor of no unit"
    return Fraction(result.quantity.value)


@cache
def _factors() -> frozenset[Fraction]:
    text = (Path(__file__).parents[3] / "fhir_mappings" / "units.toml").read_text(encoding="utf-8")
    rows = tomllib.loads(text, parse_float=Decimal)
    found = {Fraction(str(value)) for value in _values_of(rows, "factor")}
    assert len(found) > 3
    return frozenset(found | {Fraction(1)})


def _values_of(value: Any, name: str) -> list[Any]:
    match value:
        case dict():
            here = [value[name]] if name in value else []
            return here + [found for member in value.values() for found in _values_of(member, name)]
        case list():
            return [found for item in value for found in _values_of(item, name)]
        case _:
            return []
