"""Is an AuditEvent one? fhir.resources reads it strictly before it leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable


class InvalidEventError(Exception):
    """An event that is no FHIR R4 AuditEvent. The text names the member, and repeats nothing of its content."""


def event_checker() -> Callable[[dict[str, Any]], bytes]:
    """Return a function that turns an event into its JSON, or raises InvalidEventError."""
    from fhir.resources.R4B.auditevent import AuditEvent

    def check(event: dict[str, Any]) -> bytes:
        try:
            return AuditEvent.model_validate(event).model_dump_json().encode()
        except ValidationError as error:
            problems = error.errors(include_url=False, include_input=False, include_context=False)
            first = problems[0]
            place = ".".join(map(str, first["loc"]))
            raise InvalidEventError(f"{place}: {first['msg']}") from None

    return check
