"""Schemathesis over the description of the interface: requests that keep to it, requests that do not."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from tests.security import forge

if TYPE_CHECKING:
    from collections.abc import Callable

    from schemathesis.schemas import BaseSchema

# Good data about which nothing can be decided: another patient, data missing, a FHIR server that is not listed.
_GOOD_DATA = ["2xx", "400", "403", "412"]
# The site under attack has no trend app: a client that nobody configured is answered as such.
_OF_NO_APP = ["404"]
_BAD_DATA = ["400", "401", "405", "413", "415"]


def attack_config(examples: int, *, ignored_auth: bool) -> SchemathesisConfig:
    """Return a configuration with every check that applies to an interface without resources to create."""
    return SchemathesisConfig.from_dict(
        {
            "seed": 20261126,
            "generation": {"max-examples": examples, "database": "none", "deterministic": True},
            "phases": {"stateful": {"enabled": False}},
            "checks": {
                "positive_data_acceptance": {"expected-statuses": _GOOD_DATA},
                "negative_data_rejection": {"expected-statuses": _BAD_DATA},
                "ignored_auth": {"enabled": ignored_auth},
            },
            "operations": [
                {
                    "include-path-regex": "^/smart/",
                    "checks": {
                        "positive_data_acceptance": {"expected-statuses": _OF_NO_APP},
                        "negative_data_rejection": {"expected-statuses": [*_BAD_DATA, *_OF_NO_APP]},
                    },
                }
            ],
        }
    )


def sign_requests(schema: BaseSchema, now: Callable[[], int]) -> None:
    """Give each request a token of its own, made for its path."""

    class Signing:
        def get(self, case: Any, _context: Any) -> str:
            made = now()
            return forge.token(aud=forge.PUBLIC_URL + case.operation.path, iat=made, exp=made + 300)

        def set(self, case: Any, token: str, _context: Any) -> None:
            case.headers = {**(case.headers or {}), "Authorization": f"Bearer {token}"}

    schema.auth(refresh_interval=None)(Signing)


def run(schema: BaseSchema) -> tuple[Counter[tuple[str, int]], list[str]]:
    """Attack; return how often each operation gave each status, and what was wrong."""
    answers: Counter[tuple[str, int]] = Counter()
    wrong: list[str] = []
    for event in from_schema(schema).execute():
        if isinstance(event, events.NonFatalError | events.FatalError):
            wrong.append(repr(getattr(event, "value", event)))
        if isinstance(event, events.ScenarioFinished):
            _collect(event.recorder, answers, wrong)
    return answers, wrong


def _collect(recorder: Any, answers: Counter[tuple[str, int]], wrong: list[str]) -> None:
    for interaction in recorder.interactions.values():
        if interaction.response is not None:
            # Other methods than the described one are tried too.
            label = f"{interaction.request.method} {recorder.label.partition(' ')[2]}"
            answers[label, interaction.response.status_code] += 1
    for case_id, checks in recorder.checks.items():
        for check in checks:
            if check.failure_info is not None:
                sent = recorder.interactions[case_id].request if case_id in recorder.interactions else None
                body = (sent.body or b"")[:500] if sent is not None else b""
                wrong.append(f"{check.name}: {recorder.label}: {check.failure_info.failure}: {body!r}")
