"""CDS Hooks feedback: bytes to typed items (specification: Feedback, requirements 142-156).

A batch is read item by item: what is right is kept, what is wrong is named by its position. Clients differ in how
they say why a card was overridden; the forms met in the field are read alike:

    overrideReason   {"reason": {"code", "system"}, "userComment"}   the specification
    overrideReasons  the same object under a plural name             Epic's documentation
    overrideReason   {"code", "system"}                              older CDS Hooks sandbox
    extension only   com.epic.cdshooks.feedback.overrideReason.*     Epic's documentation; the category is the code

A batch is counted before it is read: one of more than 1,000 items is refused.

A reason that is named by a text alone has no code: the text counts as free text of the user, and TEXT_ONLY stands for
the code.
"""

from __future__ import annotations

import re
from datetime import datetime
from itertools import islice
from typing import Annotated, Any, Final

import msgspec

from cds_service.errors import MalformedRequestError
from cds_service.foreign_bytes import UNREADABLE, decode, fault
from cds_service.undecoded import TooDeepError, elements

_OUTCOMES = ("accepted", "overridden")

# Epic names the reason of its own list by its category, and by texts; the first that is there stands.
_EPIC_REASON: Final = "com.epic.cdshooks.feedback.overrideReason."
_EPIC_CODE: Final = "Category"
_EPIC_MEMBERS: Final = (_EPIC_CODE, "Title", "Display")

TEXT_ONLY: Final = "text-only"
# Far more than cards are shown on a busy day; each item becomes a record.
MOST_ITEMS: Final = 1_000
MOST_SUGGESTIONS: Final = 100
# Of a card and of a suggestion: both are UUIDs of ours.
LONGEST_ID: Final = 256
# Epic's extension has five short members.
_LONGEST_EXTENSION: Final = 16_384
# Longer ones are no codes: Epic takes topic codes of 100 characters.
_LONGEST_CODE: Final = 128
_LONGEST_SYSTEM: Final = 256

# A UUID is the same in either case (RFC 9562, section 4), and clients do not all keep the one they got.
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

# RFC 3339 section 5.6: date, time and zone are all required.
_TIMESTAMP = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})")


class ReasonCode(msgspec.Struct, frozen=True, omit_defaults=True):
    """A reason as the client sent it; `system` and `display` may be missing (CDS Hooks sandbox)."""

    code: str
    system: str | None = None
    display: str | None = None


class FeedbackItem(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one card. `outcome_at` is aware; `user_comment` is free text of the user."""

    card: str
    outcome: str
    outcome_at: datetime
    accepted_suggestions: tuple[str, ...] = ()
    reason: ReasonCode | None = None
    user_comment: str | None = None


class FeedbackBatch(msgspec.Struct, frozen=True):
    """The good items of a batch, and one sentence for each bad one, naming its position."""

    items: tuple[FeedbackItem, ...]
    problems: tuple[str, ...]


_Id = Annotated[str, msgspec.Meta(max_length=LONGEST_ID)]


class _Suggestion(msgspec.Struct):
    id: _Id


class _Override(msgspec.Struct):
    reason: ReasonCode | None = None
    userComment: str | None = None  # noqa: N815
    code: str | None = None
    system: str | None = None
    display: str | None = None
    extension: msgspec.Raw = msgspec.Raw(b"null")

    @property
    def reason_code(self) -> ReasonCode | None:
        """Read the nested reason of the specification, the flat one of the older sandbox, or Epic's extension."""
        if self.reason is None and self.code is not None:
            return ReasonCode(self.code, self.system, self.display)
        return self.reason or _epic_reason(self.extension)

    @property
    def coded_reason(self) -> ReasonCode | None:
        """Return the reason without any text that may be a person's."""
        reason = self.reason_code
        if reason is None:
            return None
        system = reason.system[:_LONGEST_SYSTEM] if reason.system is not None else None
        return ReasonCode(reason.code if _is_code(reason) else TEXT_ONLY, system, reason.display)

    @property
    def free_text(self) -> str | None:
        """Return the comment, after the reason where that is named by a text."""
        reason = self.reason_code
        if reason is None or _is_code(reason):
            return self.userComment
        return ": ".join(filter(None, (reason.code, self.userComment)))

    @property
    def says_something(self) -> bool:
        """Tell whether there is a reason or a comment: clients send the member empty, too."""
        return self.reason_code is not None or bool(self.userComment)


class _Item(msgspec.Struct):
    card: _Id
    outcome: str
    outcomeTimestamp: str  # noqa: N815
    acceptedSuggestions: Annotated[tuple[_Suggestion, ...], msgspec.Meta(max_length=MOST_SUGGESTIONS)] | None = None  # noqa: N815
    overrideReason: _Override | None = None  # noqa: N815
    overrideReasons: _Override | None = None  # noqa: N815


class _Batch(msgspec.Struct):
    feedback: msgspec.Raw


_BATCH_DECODER = msgspec.json.Decoder(_Batch)
_ITEM_DECODER = msgspec.json.Decoder(_Item)
_ANY: Final = msgspec.json.Decoder(Any)


def parse_feedback(body: bytes) -> FeedbackBatch:
    """Decode a feedback body. An empty array is an empty batch.

    Raises MalformedRequestError when the body is not JSON, or has no `feedback` array or one of more than 1,000 items;
    bad items are returned as problems beside the good ones.
    """
    items: list[FeedbackItem] = []
    problems: list[str] = []
    for position, raw in enumerate(_sent_items(body)):
        try:
            items.append(_parse_item(raw))
        except (*UNREADABLE, ValueError) as error:
            problems.append(f"feedback[{position}]: {_problem_text(error)}")
    return FeedbackBatch(tuple(items), tuple(problems))


def _sent_items(body: bytes) -> list[bytes]:
    """Return the items of a batch, undecoded. Raises MalformedRequestError."""
    try:
        batch = bytes(decode(_BATCH_DECODER, body).feedback)
    except msgspec.ValidationError as error:
        raise MalformedRequestError(f"The body is not CDS Hooks feedback: {error}.") from error
    except UNREADABLE as error:
        raise MalformedRequestError("The body is not valid JSON.", log_detail=fault(body, error)) from error
    if not batch.startswith(b"["):
        raise MalformedRequestError("The body is not CDS Hooks feedback: feedback must be an array.")
    try:
        items = list(islice(elements(batch), MOST_ITEMS + 1))
    except TooDeepError as error:
        raise MalformedRequestError("The body is not CDS Hooks feedback: it is nested too deep.") from error
    if len(items) > MOST_ITEMS:
        raise MalformedRequestError(f"A batch may hold {MOST_ITEMS} items of feedback at most.")
    return items


def _parse_item(raw: bytes) -> FeedbackItem:
    item = decode(_ITEM_DECODER, raw)
    if not item.card.strip():
        raise ValueError("card must not be empty")
    if item.outcome not in _OUTCOMES:
        raise ValueError("outcome must be accepted or overridden")
    overrides = [override for override in (item.overrideReason, item.overrideReasons) if override is not None]
    override = next((override for override in overrides if override.says_something), None)
    return FeedbackItem(
        card=item.card.lower() if _UUID.fullmatch(item.card) else item.card,
        outcome=item.outcome,
        outcome_at=_parse_timestamp(item.outcomeTimestamp),
        accepted_suggestions=tuple(s.id for s in item.acceptedSuggestions or ()),
        reason=override.coded_reason if override else None,
        user_comment=override.free_text if override else None,
    )


def _epic_reason(raw: msgspec.Raw) -> ReasonCode | None:
    """Return the reason of Epic's extension; the name of its member is the system."""
    text = bytes(raw)
    extension: Any = decode(_ANY, text) if len(text) <= _LONGEST_EXTENSION else None
    if not isinstance(extension, dict):
        return None
    named = {key: value for key, value in extension.items() if key.startswith(_EPIC_REASON)}
    for member in _EPIC_MEMBERS:
        for key, value in named.items():
            if key.endswith(member) and isinstance(value, str | int) and str(value).strip():
                return ReasonCode(str(value).strip(), key)
    return None


def _is_code(reason: ReasonCode) -> bool:
    """Tell a code from a text: a text of Epic's list may be any, and so may what is too long or has several lines."""
    system = reason.system or ""
    is_text_of_epic = system.startswith(_EPIC_REASON) and not system.endswith(_EPIC_CODE)
    return not is_text_of_epic and len(reason.code) <= _LONGEST_CODE and reason.code.isprintable()


def _parse_timestamp(text: str) -> datetime:
    if not _TIMESTAMP.fullmatch(text):
        raise ValueError("outcomeTimestamp must be an RFC 3339 date-time with a zone")
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError:
        raise ValueError("outcomeTimestamp is not a date of the calendar") from None


def _problem_text(error: Exception) -> str:
    """Name what is wrong without repeating what was sent."""
    if isinstance(error, msgspec.ValidationError) or type(error) is ValueError:
        return str(error)
    return "not readable as JSON"
