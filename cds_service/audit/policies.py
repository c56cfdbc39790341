"""The limits of a rule as the log keeps them: every member of its policy, under its own name.

A policy is a frozen dataclass of plain values. One that gains a member is kept and read with it; a record from before
holds it not, and then the member's default stands. A member that this version does not know is not passed over: limits
that nobody applies would make another decision of the same record.

Every file states the limits that its records were made under: files are deleted after their retention time, a start may
fail to write, and during a reload processes differ in what is in force.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta, tzinfo
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

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


class Payload(NamedTuple):
    """An encoded record, and the encoded configuration record under which it was made; either may be empty.

    Without record, the log is made ready and the limits are stated.
    """

    record: bytes
    limits: bytes


class StatedLimits:
    """Which configuration records this process has written to the newest file."""

    def __init__(self) -> None:
        self._stated: tuple[str, frozenset[bytes]] = ("", frozenset())

    def before_records(self, file: str, payloads: Iterable[Payload]) -> list[bytes]:
        """Return the records to write to a file, limits that it may not hold yet before the first that needs them."""
        known, records = self._in(file), []
        for record, limits in payloads:
            if limits and limits not in known:
                known |= {limits}
                records.append(limits)
            if record:
                records.append(record)
        return records

    def note(self, file: str, payloads: Iterable[Payload]) -> None:
        """Remember what is durable."""
        known = self._in(file)
        for _, limits in payloads:
            if limits not in known:
                self._stated = file, known | {each.limits for each in payloads}
                return

    def _in(self, file: str) -> frozenset[bytes]:
        stated_in, stated = self._stated
        return stated if stated_in == file else frozenset()
