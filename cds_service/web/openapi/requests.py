"""What the service takes, as schemas: what it tolerates is written here as it is, not as it would be nice."""

from __future__ import annotations

from typing import Any, Final

from cds_service.acquisition.prefetch import ALBUMIN, BLOOD_COUNTS, CONDITIONS, PATIENT, PROCEDURES
from cds_service.hooks.feedback import LONGEST_ID, MOST_ITEMS, MOST_SUGGESTIONS
from cds_service.hooks.request import BARE_ID, HOOK, LONGEST_TEXT
from cds_service.web.openapi.schemas import NOT_BLANK, Schema, accepted, array, ref, text

# RFC 3339 with a zone; without the year 0 and leap seconds, which no calendar of ours has.
_INSTANT: Final = (
    r"^(?!0000)\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?"
    r"([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$"
)
_NOT_SEEN: Final = "When missing, it is asked of the FHIR server; null or an empty Bundle means: looked for, not there."


def request_schemas() -> dict[str, Schema]:
    """Return the schemas of everything that is sent to the service, by name."""
    return {
        "CDSRequest": _cds_request(),
        "Context": _context(),
        "Prefetch": _prefetch(),
        "FHIRAuthorization": _authorization(),
        "FeedbackRequest": accepted(
            "What became of cards. The good items of a batch are kept even when others lead to 400.",
            {"feedback": array(ref("Feedback"), description="May be empty.", maxItems=MOST_ITEMS)},
        ),
        "Feedback": _feedback(),
        "OverrideReason": _override_reason(),
        "ReasonCode": accepted(
            "A reason as the CDS Client names it.",
            {"code": text("Code of the reason.")},
            {"system": text("Its code system."), "display": text("Its text.")},
        ),
    }


def _cds_request() -> Schema:
    return accepted(
        "A CDS Hooks request for patient-view.",
        {
            "hook": {"const": HOOK, "description": "Another hook is answered with 400."},
            "hookInstance": text(
                "Any text that is not blank; UUIDs are usual. May repeat.", pattern=NOT_BLANK, maxLength=LONGEST_TEXT
            ),
            "context": ref("Context"),
        },
        {
            "fhirServer": text(
                "Base of the FHIR server. Used only when it stands on the client's list and data are missing."
            ),
            "fhirAuthorization": ref("FHIRAuthorization"),
        },
        {"prefetch": ref("Prefetch")},
    ) | {"examples": [example_request()]}


def _context() -> Schema:
    return accepted(
        "Who looks at whose record.",
        {
            "userId": text(
                "Reference to the user; any text that is not blank.", pattern=NOT_BLANK, maxLength=LONGEST_TEXT
            ),
            "patientId": text(
                "Id of the patient, not a reference. Longer ids and characters beyond FHIR's are taken, but for those "
                "that a FHIR server reads as syntax.",
                pattern=BARE_ID,
            ),
        },
        {"encounterId": text("Not used; an id, or empty.", pattern=f"^$|{BARE_ID}")},
    )


def _prefetch() -> Schema:
    searches = {
        BLOOD_COUNTS: "Observations of neutrophils, lymphocytes and platelets. Asked for only of an eligible patient.",
        ALBUMIN: "Albumin Observations; optional.",
        CONDITIONS: "Conditions.",
        PROCEDURES: "Procedures.",
    }
    described: dict[str, Schema] = {
        key: {"description": f"Searchset Bundle: {what} {_NOT_SEEN}"} for key, what in searches.items()
    }
    described[PATIENT] = {"description": "Patient; optional. Another patient than context.patientId leads to 400."}
    return {
        "type": "object",
        "description": (
            "Data by key. Every value is taken: one that is no readable Bundle, or an OperationOutcome of an error, "
            "counts as failed and is asked of the FHIR server; an entry that cannot be read costs that entry only."
        ),
        "properties": described,
    }


def _authorization() -> Schema:
    return accepted(
        "Access to the FHIR server for this request. Only what is text is used.",
        {},
        {
            "access_token": {"description": "Sent as bearer token to the FHIR server, nowhere else; never stored."},
            "patient": {"description": "When it names another patient than the context, the token is not used."},
        },
    )


def _feedback() -> Schema:
    return accepted(
        "What became of one card.",
        {
            "card": text(
                "uuid of the card. Cards that are not known are recorded too.", pattern=NOT_BLANK, maxLength=LONGEST_ID
            ),
            "outcome": {"enum": ["accepted", "overridden"]},
            "outcomeTimestamp": text("RFC 3339, with a zone.", format="date-time", pattern=_INSTANT),
        },
        {
            "acceptedSuggestions": array(
                accepted("A suggestion.", {"id": text("uuid of the suggestion.", maxLength=LONGEST_ID)}),
                maxItems=MOST_SUGGESTIONS,
            ),
            "overrideReason": ref("OverrideReason"),
            "overrideReasons": ref("OverrideReason"),
        },
    )


def _override_reason() -> Schema:
    flat: dict[str, Schema] = {name: text("Older form: the reason itself.") for name in ("code", "system", "display")}
    epic: Schema = {
        "description": "Epic's own form: com.epic.cdshooks.feedback.overrideReason.*; anything else is ignored, but "
        "for a number that no double holds, which makes the item bad. One of more than 16,384 bytes is ignored."
    }
    optional = {
        "reason": ref("ReasonCode"),
        "userComment": text("Free text of the user; kept only where the site wants it."),
        "extension": epic,
        **flat,
    }
    return accepted("Why the card was overridden; the plural name is Epic's.", {}, optional)


def example_request() -> dict[str, Any]:
    """Return a request that is answered without any fetching: nothing is known about the patient's liver."""
    nothing = {"resourceType": "Bundle", "type": "searchset", "total": 0}
    return {
        "hook": HOOK,
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/example", "patientId": "example"},
        "prefetch": {
            PATIENT: {"resourceType": "Patient", "id": "example", "birthDate": "1958-03-04"},
            CONDITIONS: nothing,
            PROCEDURES: nothing,
        },
    }
