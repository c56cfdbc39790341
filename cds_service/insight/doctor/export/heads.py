"""What tells where a line of an export belongs."""

from typing import Any

import msgspec

from cds_service.foreign_bytes import UNREADABLE, decode
from cds_service.normalization.subject import type_and_id


class Head(msgspec.Struct):
    """Type, id and subject of a resource; nothing else of it is decoded."""

    resourceType: str = ""  # noqa: N815
    id: str | None = None
    # Another shape than a Reference in types that are none of ours.
    subject: Any = None

    @property
    def patient(self) -> str:
        """The id of the patient it is about, or is; empty where it names none."""
        if self.resourceType == "Patient":
            return self.id or ""
        reference = self.subject.get("reference") if isinstance(self.subject, dict) else None
        return (type_and_id(reference, "Patient") or "") if isinstance(reference, str) else ""


_HEAD = msgspec.json.Decoder(Head)


def read_head(line: bytes) -> Head | None:
    """Return the head of a line; None for one that is no JSON object of that form."""
    try:
        return decode(_HEAD, line)
    except UNREADABLE:
        return None
