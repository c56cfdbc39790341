"""What commands write to a terminal of texts that callers sent: nothing that moves its cursor or turns its lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from cds_service.cli.main import main
from tests.unit.audit.samples import audit_log, feedback_record, hook_record

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = "\x9b2J\u202eevil\u2066\x7f"


@pytest.mark.parametrize(
    "arguments",
    [
        ("audit", "search", "--json"),
        ("audit", "search"),
        ("audit", "replay", "--json"),
        ("audit", "report"),
        ("audit", "report", "--json", "-"),
        ("audit", "export", "--fhir"),
        ("audit", "verify"),
        ("monitor", "--json"),
        ("monitor",),
    ],
    ids=" ".join,
)
def test_command_writes_no_control_or_bidi_character_of_a_record(arguments: tuple[str, ...], tmp_path: Path) -> None:
    """Users, clients, ids and codes are what callers sent; whoever reads the log does so in a terminal."""
    names: dict[str, Any] = {"user": HOSTILE, "client": HOSTILE, "request_id": HOSTILE}
    log = audit_log(tmp_path, key=None)
    log.append(hook_record(**names, patient=HOSTILE))
    log.append(hook_record(**names, service=HOSTILE))
    log.append(feedback_record(client=HOSTILE, reason_code=HOSTILE, reason_system=HOSTILE))
    result = CliRunner().invoke(main, [*arguments, "--directory", str(tmp_path)])

    assert result.output.strip()
    assert [line for line in result.output.splitlines() if not line.isprintable()] == []
