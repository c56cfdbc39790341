"""What the service sends with 200, as schemas: nothing stands in an answer that does not stand here."""

from __future__ import annotations

from typing import Final

import msgspec

from cds_service.acquisition.prefetch import ALBUMIN, BLOOD_COUNTS, CONDITIONS, PATIENT, PROCEDURES
from cds_service.cards.extension import EXTENSION_NAME
from cds_service.cards.gaps import Gap
from cds_service.clinical.reasons import Reason
from cds_service.hooks.request import HOOK
from cds_service.model_card.parts import ModelCardContent
from cds_service.web.openapi.schemas import Schema, answer, array, counts, ref, text

SUMMARY_CHARACTERS: Final = 139

_URL: Final = r"^https?://\S+$"
_DECIMAL: Final = r"^\d+(\.\d+)?$"
_DATE_OR_DATE_TIME: Final = r"^\d{4}-\d{2}-\d{2}(T\S+)?$"
_DECIDED: Final = ("above-cutoff", "not-above-cutoff")
_UNDECIDED: Final = ("indeterminate", "not-eligible")


def answer_schemas() -> dict[str, Schema]:
    """Return the schemas of every successful JSON answer, by name."""
    return {
        "Discovery": answer("What is offered.", {"services": array(ref("Service"))}),
        "Service": _service(),
        "CDSResponse": _cds_response(),
        "Card": _card(),
        "Source": answer(
            "Where the guidance comes from.",
            {"label": text("Its name.", minLength=1)},
            {"url": text("Its address.", pattern=_URL), "topic": ref("Coding")},
        ),
        "Link": answer(
            "A link.",
            {"label": text("Its text."), "url": text("Address.", pattern=_URL), "type": {"const": "absolute"}},
        ),
        "Coding": answer(
            "A code.",
            {"code": text("Code.", minLength=1), "system": text("Its system.", pattern=_URL)},
            {"display": text("Its text.")},
        ),
        "Assessment": _assessment(),
        "ReasonName": {"enum": [str(reason) for reason in Reason], "description": "Why not; codes keep their meaning."},
        "Nothing": answer("An empty object.", {}),
        "Alive": answer("The process answers.", {"status": {"const": "alive"}}),
        "Ready": answer("A hook would be answered.", {"status": {"const": "ready"}}),
        **_model_card(),
    }


def _service() -> Schema:
    template = text("FHIR query.", minLength=1)
    keys = (PATIENT, BLOOD_COUNTS, ALBUMIN, CONDITIONS, PROCEDURES)
    return answer(
        "A CDS Service.",
        {
            "hook": {"const": HOOK},
            "title": text("Name for people."),
            "description": text("What it does."),
            "id": text("Last segment of its path.", pattern="^[a-z0-9-]+$"),
            "prefetch": answer("Queries by key.", dict.fromkeys(keys, template)),
            "usageRequirements": text("What it needs."),
            "version": text("Version of CDS Hooks.", pattern=r"^\d+\.\d+(\.\d+)?$"),
        },
    )


def _cds_response() -> Schema:
    extension = answer("Left out in silent mode, and where the site wants none.", {EXTENSION_NAME: ref("Assessment")})
    return answer(
        "The answer to a hook.",
        {"cards": array(ref("Card"), maxItems=1, description="Empty: there is nothing to show; extension says why.")},
        {"extension": extension},
    )


def _card() -> Schema:
    return answer(
        "One card.",
        {
            "uuid": text("Names the card in feedback.", format="uuid"),
            "summary": text("One line.", minLength=1, maxLength=SUMMARY_CHARACTERS, pattern=r"^[^\r\n]*$"),
            "indicator": {"enum": ["info", "warning", "critical"]},
            "source": ref("Source"),
        },
        {
            "detail": text("GitHub-flavored markdown without HTML.", minLength=1),
            "overrideReasons": array(ref("Coding"), minItems=1),
            "links": array(ref("Link"), minItems=1),
        },
    )


def _assessment() -> Schema:
    reasons = array(ref("ReasonName"), minItems=1, uniqueItems=True)
    always = {
        "outcome": {"enum": [*_DECIDED, *_UNDECIDED]},
        "cutoff": text("Of SII, in 10*9/L.", pattern=_DECIMAL),
        "ruleVersion": text("Version of the clinical rule."),
    }
    sometimes = {
        "reasons": reasons,
        "sii": text("In 10*9/L, with as many decimals as show its side of the cut-off.", pattern=_DECIMAL),
        "basis": {"enum": ["absolute", "percent"]},
        "sampleTime": text("FHIR date or dateTime.", pattern=_DATE_OR_DATE_TIME),
        "relation": {"enum": ["after", "before"], "description": "Of the sample to the latest procedure."},
        "daysFromProcedure": {"type": "integer", "minimum": 0},
        "exclusions": counts(ref("ReasonName"), "Observations that were not used."),
        "chartExclusions": counts(
            ref("ReasonName"), "Conditions and Procedures that were not used; undated procedures, which open no window."
        ),
        "presentation": {"const": "snoozed", "description": "An earlier override of the same card keeps it back."},
        "snoozedUntil": text("When the snooze ends: FHIR dateTime.", pattern=_DATE_OR_DATE_TIME),
        "notDelivered": array({"enum": list(dict.fromkeys(gap.key for gap in Gap))}, minItems=1, uniqueItems=True),
    }
    decided_only = ("sii", "basis", "sampleTime", "relation", "daysFromProcedure")
    return answer("What was found, also when there is no card.", always, sometimes) | {
        "if": {"properties": {"outcome": {"enum": list(_DECIDED)}}},
        "then": {"required": ["sii", "basis", "sampleTime"]},
        "else": {"required": ["reasons"], "properties": dict.fromkeys(decided_only, False)},
        "dependentRequired": {
            "presentation": ["snoozedUntil"],
            "snoozedUntil": ["presentation"],
            "relation": ["daysFromProcedure"],
            "daysFromProcedure": ["relation"],
        },
    }


def _model_card() -> dict[str, Schema]:
    _, parts = msgspec.json.schema_components([ModelCardContent], ref_template="#/components/schemas/{name}")
    return parts
