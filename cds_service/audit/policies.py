"""The limits of a rule as the log keeps them: every member of its policy, under its own name.

A policy is a frozen dataclass of plain values. One that gains a member is kept and read with it; a record from before
holds it not, and then the member's default stands. A member that this version does not know is not passed over: limits
that nobody applies would make another decision of the same record.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta, tzinfo
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, TypeVar
from zoneinfo import ZoneInfo

import msgspec

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_Policy = TypeVar("_Policy", bound="DataclassInstance")

# Of a configuration; more is refused there, too.
_MOST: Final = 36_500


class UnknownLimitError(ValueError):
    """The limits hold one that this version does not know."""


def encode_policy(policy: object) -> msgspec.Raw:
    """Encode a policy as a JSON object; equal policies give equal bytes."""
    return msgspec.Raw(msgspec.json.encode(policy, enc_hook=_plain, order="deterministic"))


def decode_policy(raw: bytes, kind: type[_Policy]) -> _Policy:
    """Return the policy of a configuration record.

    Raises UnknownLimitError for a limit that `kind` lacks, and one of UNREADABLE, KeyError or OSError (for the zone)
    where the record holds what no configuration can.
    """
    members = msgspec.json.decode(raw, type=dict[str, Any])
    unknown = sorted(members.keys() - {member.name for member in fields(kind)})
    if unknown:
        raise UnknownLimitError(", ".join(unknown))
    policy = msgspec.convert(members, kind, dec_hook=_typed)
    for member in fields(kind):
        _check(getattr(policy, member.name))
    return policy


def _plain(value: object) -> str:
    if isinstance(value, tzinfo):
        return str(value)
    raise NotImplementedError(f"a policy holds {type(value).__name__}, which the log cannot keep")


def _typed(kind: type, value: Any) -> object:
    if kind is tzinfo:
        return ZoneInfo(value)
    raise NotImplementedError(f"a policy holds {kind.__name__}, which the log cannot keep")


def _check(value: object) -> None:
    """Refuse numbers that no configuration can hold: with them no day could be counted."""
    if isinstance(value, Decimal) and not value.is_finite():
        raise ValueError("limits of no configuration")
    if isinstance(value, int | float) and not 0 <= value <= _MOST:
        raise ValueError("limits of no configuration")
    if isinstance(value, timedelta) and not timedelta() <= value <= timedelta(days=_MOST):
        raise ValueError("limits of no configuration")
