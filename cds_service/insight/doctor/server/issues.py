"""What a server remarks in OperationOutcomes beside its answers, and which FHIR version it speaks."""

from collections.abc import Iterator
from typing import Any

import msgspec

from cds_service.foreign_bytes import UNREADABLE, decode

_MARK = b'"OperationOutcome"'
_ERRORS = frozenset({"error", "fatal"})


class _Issue(msgspec.Struct):
    severity: str = ""
    code: str = ""


class _Resource(msgspec.Struct):
    resourceType: str = ""  # noqa: N815
    issue: tuple[_Issue, ...] = ()


class _Entry(msgspec.Struct):
    resource: msgspec.Raw = msgspec.Raw(b"{}")


class _Bundle(msgspec.Struct):
    entry: tuple[_Entry, ...] = ()


class _Capability(msgspec.Struct):
    fhirVersion: Any = None  # noqa: N815


_BUNDLE = msgspec.json.Decoder(_Bundle)
_RESOURCE = msgspec.json.Decoder(_Resource)
_CAPABILITY = msgspec.json.Decoder(_Capability)


def issues_of(raw: msgspec.Raw) -> Iterator[str]:
    """Yield "severity code" of every remark of a Bundle; errors are failures and are told elsewhere.

    Their texts are left out: servers quote search values in them, and so patients.
    """
    if _MARK not in bytes(raw):
        return
    try:
        for entry in decode(_BUNDLE, raw).entry:
            if _MARK in bytes(entry.resource):
                for issue in _RESOURCE.decode(entry.resource).issue:
                    if issue.severity not in _ERRORS:
                        yield f"{issue.severity} {issue.code}".strip()
    except UNREADABLE:
        return


def fhir_version(raw: msgspec.Raw) -> str:
    """Return fhirVersion of a CapabilityStatement; empty where it says none."""
    try:
        version = decode(_CAPABILITY, raw).fhirVersion
    except UNREADABLE:
        return ""
    return version if isinstance(version, str) else ""
