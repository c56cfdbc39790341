"""A first look at a line of the log: what searches compare, at a quarter of the cost of decoding the record."""

from datetime import datetime
from typing import Annotated, Final

import msgspec

from cds_service.audit.decoding import YEARS


class Glance(msgspec.Struct, frozen=True, gc=False):
    """Members that hook and feedback records share. The others of a line are only checked for being JSON."""

    time: Annotated[datetime, msgspec.Meta(tz=True)]
    client: str = ""
    outcome: str = ""
    patient: str = ""
    user: str | None = None
    card: str | None = None


_DECODER: Final = msgspec.json.Decoder(Glance)


def glance_at(line: bytes) -> Glance:
    """Return what searches compare. Raises one of UNREADABLE for a line that cannot be read."""
    glance: Glance = _DECODER.decode(line)
    if glance.time.year not in YEARS:
        raise ValueError("no time of a record")
    return glance
