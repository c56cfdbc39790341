"""The operational log: JSON lines on stdout, without patient data and without tokens.

Records of this package are written as they are worded. Of records of other packages only their origin is written:
an HTTP library, for one, words its warnings with the address it called, and that address holds the patient's id.
"""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TextIO

import msgspec
from flask import g, has_request_context

from cds_service.web.defects import describe_defect
from cds_service.web.log_output import output_handler

if TYPE_CHECKING:
    from cds_service.web.exchange import Exchange

_OWN = "cds_service"
_LOGGER = logging.getLogger(__name__)


class JSONFormatter(logging.Formatter):
    """One JSON object for each record; `extra={"fields": {...}}` adds members."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line without its end. An exception is named by type and frames, never by its message."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        if record.name == _OWN or record.name.startswith(f"{_OWN}."):
            line["event"] = record.getMessage()
            line |= getattr(record, "fields", {})
        else:
            line["origin"] = f"{record.module}:{record.lineno}"
        if "request_id" not in line and has_request_context() and "exchange" in g:
            line["request_id"] = g.exchange.request_id
        if record.exc_info and record.exc_info[1] is not None:
            line |= describe_defect(record.exc_info[1])
        return msgspec.json.encode(line, enc_hook=str).decode()


def configure_logging(stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Send the records of this process to `stream`, stdout by default. Replaces what was set.

    Records of this package are sent from `level` on, those of others from warning level on.
    """
    handler = output_handler(stream or sys.stdout)
    handler.setFormatter(JSONFormatter())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger(_OWN).setLevel(level)


def log_exchange(exchange: Exchange, *, route: str, method: str, status: int, seconds: float) -> None:
    """Write the one line of a request. `route` is the rule that matched, never the path that was asked for."""
    level = logging.ERROR if status >= 500 else logging.WARNING if status >= 400 else logging.INFO
    distrust = exchange.distrust
    if not _LOGGER.isEnabledFor(level) or (distrust is not None and not distrust.logged):
        return
    verdict = exchange.verdict
    fields = {
        "request_id": exchange.request_id,
        "route": route,
        "method": method,
        "status": status,
        "duration_ms": round(seconds * 1000, 2),
        "client": exchange.client,
        "outcome": verdict.outcome if verdict is not None else None,
        "reasons": (verdict.reasons or None) if verdict is not None else None,
        "detail": exchange.detail,
        "address": exchange.address if distrust is not None else None,
    }
    fields = {name: value for name, value in fields.items() if value is not None}
    _LOGGER.log(level, "request", extra={"fields": fields | (exchange.defect or {})})
