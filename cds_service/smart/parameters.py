"""The parameters of a launch and of a callback: each once, short, and nothing but text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cds_service.errors import MalformedLaunchError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LONGEST_PARAMETER: Final = 2_048


class LaunchRequest(NamedTuple):
    """What the EHR sends: its FHIR server, and what it will know the launch by."""

    issuer: str
    launch: str


class Callback(NamedTuple):
    """What the authorization server sends back: a code, or an error. `issuer` is None where it names none."""

    state: str
    code: str
    error: str
    issuer: str | None


def read_launch(values: Callable[[str], Sequence[str]]) -> LaunchRequest:
    """Read the launch. Raises MalformedLaunchError."""
    return LaunchRequest(_required(values, "iss"), _required(values, "launch"))


def read_callback(values: Callable[[str], Sequence[str]]) -> Callback:
    """Read the callback: `state`, and either a code or an error. Raises MalformedLaunchError."""
    issuer = _once(values, "iss") if values("iss") else None
    callback = Callback(_required(values, "state"), _once(values, "code"), _once(values, "error"), issuer)
    if bool(callback.code) == bool(callback.error):
        raise MalformedLaunchError(log_detail="one of code and error is needed")
    return callback


def _required(values: Callable[[str], Sequence[str]], name: str) -> str:
    value = _once(values, name)
    if not value:
        raise MalformedLaunchError(log_detail=f"{name} is missing")
    return value


def _once(values: Callable[[str], Sequence[str]], name: str) -> str:
    given = values(name)
    if len(given) > 1:
        raise MalformedLaunchError(log_detail=f"{name} stands {len(given)} times")
    value = given[0] if given else ""
    if len(value) > LONGEST_PARAMETER or not value.isprintable():
        raise MalformedLaunchError(log_detail=f"{name} is too long, or is not a plain text")
    return value
