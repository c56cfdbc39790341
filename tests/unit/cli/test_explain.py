"""sii-cds explain: what it prints, its exit codes, and that no body makes it stumble."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from cds_service.cli.main import main
from tests.support.charts import NOW, Json, bundle, days_ago, draw, hook_request, observation

if TYPE_CHECKING:
    from collections.abc import Iterator

AT = "2026-11-23T18:00:00+08:00"


@pytest.fixture(autouse=True)
def no_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SII_CDS_CONFIG", raising=False)


def explain(*arguments: str, body: Json | bytes | None = None) -> Result:
    """Run the command; a body comes by standard input."""
    encoded = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
    return CliRunner().invoke(main, ["explain", *arguments], input=encoded)


def explained(body: Json | bytes, *arguments: str) -> Json:
    result = explain("-", "--json", "--at", AT, *arguments, body=body)
    assert result.exit_code == 0, result.output
    content: Json = json.loads(result.stdout)
    return content


def test_explain_of_a_file_prints_the_outcome_first(tmp_path: Path) -> None:
    file = tmp_path / "request.json"
    file.write_text(json.dumps(hook_request()))

    result = explain(str(file), "--at", AT)

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("Outcome: above-cutoff\nSII 712, cut-off 405.08, basis absolute\n")
    assert result.stdout.count("no objection") == 4
    assert result.stdout.endswith("\n")


def test_explain_as_json_carries_all_that_the_text_is_made_of() -> None:
    found = explained(hook_request())

    keys = {"assessment", "versions", "eligibility", "observations", "draws", "crossCheck", "cards", "extension"}
    assert set(found) == keys
    assert found["assessment"]["sii"] == "711.667"
    assert [row["objections"] for row in found["crossCheck"]] == [[]] * 4


@pytest.mark.parametrize(
    ("moment", "outcome", "reason"),
    [
        ("2026-11-23T10:00:00Z", "above-cutoff", "today"),
        ("2027-01-12T23:59:59Z", "above-cutoff", "the last day that the draw counts"),
        ("2027-01-13T00:00:00Z", "indeterminate", "one second later it is too old"),
        ("2027-01-13T07:30:00+08:00", "above-cutoff", "in UTC, the zone of the default site, it is still that day"),
        ("2026-10-01T00:00:00Z", "indeterminate", "before the blood was drawn"),
    ],
)
def test_explain_at_a_moment_judges_as_of_then(moment: str, outcome: str, reason: str) -> None:
    result = explain("-", "--json", "--at", moment, body=hook_request())

    assert json.loads(result.stdout)["assessment"]["outcome"] == outcome, reason


def test_explain_without_a_moment_judges_as_of_now() -> None:
    # Whatever the year of this test, blood of 2026 is then either too old or not yet drawn.
    then = hook_request(*draw(when="1999-01-01T07:00:00Z"))

    assert "Outcome: indeterminate" in explain("-", body=then).stdout


def test_explain_uses_the_configuration_of_the_site(tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    file.write_text("authentication: {required: false}\nrule: {cutoff: 800, cutoff_source: own}\n")

    found = explained(hook_request(), "--config", str(file))

    assert (found["assessment"]["outcome"], found["assessment"]["cutoff"]) == ("not-above-cutoff", "800")


def test_explain_with_a_broken_configuration_names_the_problem(tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    file.write_text("rule: {cutof: 800}\n")

    result = explain("-", "--config", str(file), body=hook_request())

    assert result.exit_code == 2
    assert f"{file}:1:8: rule.cutof: unknown key" in result.stderr


def test_explain_of_a_body_whose_rest_the_service_would_fetch_says_so(tmp_path: Path) -> None:
    """A captured body: which client sent it is not told, and explain asks nobody."""
    file = tmp_path / "site.yaml"
    file.write_text(
        "authentication: {required: false}\n"
        "clients:\n  - {name: a, issuer: 'https://a.example', jwks_url: 'https://a.example/keys', "
        "fhir_servers: ['https://fhir.example/r4']}\n"
    )
    access = {"fhirServer": "https://fhir.example/r4", "fhirAuthorization": {"access_token": "x"}}
    body = hook_request(without=("bloodCounts",), members=access)
    elsewhere = hook_request(without=("bloodCounts",), members=access | {"fhirServer": "https://elsewhere.example"})

    lacking = explain("-", "--at", AT, "--config", str(file), body=body)
    refused = explain("-", "--at", AT, "--config", str(file), body=elsewhere)

    assert (lacking.exit_code, refused.exit_code) == (1, 1)
    assert lacking.stderr.splitlines()[-1].startswith("The body lacks bloodCounts. The service asks the FHIR server")
    assert "The service would answer 403" in refused.stderr
    assert "The body lacks" in explain("-", "--at", AT, body=elsewhere).stderr, (
        "without a configuration no server is refused"
    )


@pytest.mark.parametrize(
    ("body", "status", "words", "reason"),
    [
        (b"", 400, "not valid JSON", "nothing"),
        (b"not json", 400, "not valid JSON", "no JSON"),
        (b"{", 400, "not valid JSON", "torn off"),
        (b"\xff\xfe{}", 400, "not valid JSON", "another encoding"),
        (b"[" * 100_000, 400, "not a CDS Hooks request", "nested without end"),
        (b"[]", 400, "not a CDS Hooks request", "a list"),
        (b"{}", 400, "not a CDS Hooks request", "no hook"),
        (json.dumps(hook_request(members={"hook": "order-sign"})).encode(), 400, "patient-view only", "another hook"),
        (json.dumps(hook_request(members={"prefetch": []})).encode(), 400, "prefetch", "prefetch is no object"),
        (json.dumps(hook_request(without=("conditions",))).encode(), 412, "conditions", "required data are missing"),
        (json.dumps(hook_request(bloodCounts="text")).encode(), 412, "bloodCounts", "required data failed"),
        (
            json.dumps(hook_request(patient={"resourceType": "Patient", "id": "p2"})).encode(),
            400,
            "not the patient of the context",
            "another patient",
        ),
    ],
)
def test_explain_of_what_cannot_be_answered_exits_1(body: bytes, status: int, words: str, reason: str) -> None:
    text = explain("-", "--at", AT, body=body)
    as_json = explain("-", "--json", "--at", AT, body=body)

    assert (text.exit_code, as_json.exit_code) == (1, 1), reason
    assert (text.stdout, as_json.stderr) == ("", ""), reason
    assert text.stderr.startswith(f"The service would answer {status}: "), reason
    assert words in text.stderr, reason
    answer = json.loads(as_json.stdout)
    assert (answer["status"], answer["error"] in text.stderr) == (status, True), reason


@pytest.mark.parametrize(
    ("arguments", "words", "reason"),
    [
        ((), "Missing argument", "no file named"),
        (("/nowhere/request.json",), "No such file", "a file that is not there"),
        (("/",), "directory", "a folder"),
        (("-", "--at", "yesterday"), "not a date-time", "a moment in words"),
        (("-", "--at", "2026-03-01"), "needs a zone", "a day"),
        (("-", "--at", "2026-03-01T10:00:00"), "needs a zone", "no zone"),
        (("-", "--at", "9999-12-31T23:59:59Z"), "not a year of our time", "days are added to it"),
        (("-", "--at", "0001-01-01T00:00:00+14:00"), "not a year of our time", "before the calendar"),
        (("-", "--odd"), "No such option", "an unknown option"),
        (("-", "-"), "unexpected extra argument", "two files"),
    ],
)
def test_explain_with_wrong_arguments_exits_2(arguments: tuple[str, ...], words: str, reason: str) -> None:
    result = explain(*arguments, body=hook_request())

    assert result.exit_code == 2, reason
    assert words in result.stderr, reason


COMPONENT = {"code": {"coding": [{"code": "x"}]}, "valueQuantity": {"value": 1, "unit": "g"}}
FULL_CHART = hook_request(
    *draw(specimen={"reference": "Specimen/1"}, issued=days_ago(39), meta={"versionId": "1"}),
    observation("58410-2", 1, oid="panel", component=[COMPONENT], effectivePeriod={"start": days_ago(40)}),
    members={"fhirServer": "https://ehr.example/fhir", "fhirAuthorization": {"access_token": "t"}},
)
ODD_VALUES: list[Any] = [
    None, True, 0, -1.5, "", "\x1b[31m", [], [[]], {}, [{"resource": 5}], {"entry": {"resource": []}}, 10**30,
    {"resourceType": "Observation", "id": "o"},
]  # fmt: skip


def places(content: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to every value in a body."""
    if place:
        yield place
    members = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in members:
        yield from places(value, (*place, key))


@pytest.mark.parametrize("odd", ODD_VALUES, ids=repr)
def test_explain_of_a_body_with_an_odd_value_anywhere_never_stumbles(odd: Any) -> None:
    for number, place in enumerate(places(FULL_CHART)):
        if number % len(ODD_VALUES) == ODD_VALUES.index(odd) or "bloodCounts" not in place:
            body = copy.deepcopy(FULL_CHART)
            holder = body
            for key in place[:-1]:
                holder = holder[key]
            holder[place[-1]] = odd

            result = explain("-", "--at", NOW.isoformat(), body=body)

            assert result.exit_code in {0, 1}, (place, odd, result.exception)
            assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("extra", "reason"),
    [
        ({"entry": 5}, "no list of entries"),
        ({"entry": [5, [], None, {"resource": []}, {"resource": 5}, {}]}, "no objects in the entries"),
        ([], "a list"),
        ("text", "text"),
        (None, "nothing"),
        ({"entry": [{"resource": {"resourceType": [], "id": {}}}]}, "no text for the type"),
    ],
)
def test_explain_with_an_odd_key_beside_the_known_ones_answers(extra: Any, reason: str) -> None:
    assert len(explained(hook_request(somethingElse=extra))["crossCheck"]) == 4, reason


def test_explain_with_nesting_that_only_the_strict_reader_meets_answers() -> None:
    deep: Json = {"url": "http://x.example"}
    for _ in range(400):
        deep = {"url": "http://x.example", "extension": [deep]}
    nested = json.dumps(hook_request(*draw(extension=[deep])))
    long_number = nested.replace('"hook"', '"odd": ' + "9" * 5000 + ', "hook"', 1)

    for body in (nested, long_number):
        result = explain("-", "--at", AT, body=body.encode())
        assert result.exit_code == 0, result.exception


def test_explain_says_what_the_strict_reader_objects_to() -> None:
    found = explained(hook_request(*draw(odd=1), albumin=bundle()))

    assert [row["objections"] for row in found["crossCheck"]] == [["odd: extra_forbidden"]] * 3


def test_explain_of_a_body_with_half_an_emoji_is_the_same_as_without() -> None:
    body = (Path(__file__).parents[2] / "fixtures/protocol/hook-with-unpaired-surrogate.json").read_bytes()

    cut = explain("-", "--json", "--at", "2026-11-30T12:00:00Z", body=body)
    without = explain("-", "--json", "--at", "2026-11-30T12:00:00Z", body=body.replace(rb"\ud83d", b""))

    assert json.loads(cut.stdout)["assessment"] == json.loads(without.stdout)["assessment"]
    assert json.loads(cut.stdout)["assessment"]["outcome"] in {"above-cutoff", "not-above-cutoff"}
