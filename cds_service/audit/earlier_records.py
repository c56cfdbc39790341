"""Records of format 1, those of sii-cds 0.1, read as records of format 2.

Hook calls and feedback have only gained members, and lost `timezone`, which stands among the limits. Configuration
records named the limits one by one. A reader of format 1 can read neither kind of format 2: it counts such lines as
unreadable, and its `audit verify` says why, at the first line of the file (`chain.ChainKey.named`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Literal

import msgspec

from cds_service.audit.records import ConfigurationRecord


class _Configuration(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="configuration"):
    time: datetime
    configuration: str
    rule_version: str
    mapping_version: str
    mode: Literal["active", "silent"]
    timezone: str
    cutoff: str
    cutoff_source: str
    eligibility_required: bool
    minimum_age: int
    post_procedure_exclusion_days: int
    baseline_window_days: int
    max_age_days: int
    same_draw_minutes: float
    albumin_window_days: int
    accepted_statuses: tuple[str, ...]


_DECODER: Final = msgspec.json.Decoder(_Configuration)
_FRAME: Final = ("time", "configuration", "rule_version", "mapping_version", "mode")


def read_earlier_configuration(raw: bytes) -> ConfigurationRecord:
    """Return the configuration record of a line of format 1. Raises msgspec.DecodeError for any other line."""
    found = _DECODER.decode(raw)
    limits = {name: value for name, value in msgspec.structs.asdict(found).items() if name not in _FRAME}
    limits["same_draw"] = timedelta(minutes=limits.pop("same_draw_minutes"))
    return ConfigurationRecord(
        **{name: getattr(found, name) for name in _FRAME}, policy=msgspec.Raw(msgspec.json.encode(limits))
    )
