"""Record decisions as the service does, and recompute them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cds_service.audit.log import AuditLog
from cds_service.audit.reading import read_entries
from cds_service.authorization.clients import TrustedClient
from cds_service.decision.flow import decide
from cds_service.decision.recording import Moment, Recorder, RecordingChoices
from cds_service.errors import DataUnavailableError
from cds_service.hooks.request import parse_cds_request
from cds_service.insight.sources.replay import NotRecomputed, Recomputed, replay
from cds_service.web.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

    from cds_service.decision.site import Site

CLIENT = TrustedClient(name="test", issuer=None, mode="active")
VALUES_KEPT = RecordingChoices(keep_values=True, keep_comments=False, pseudonym_key=None, on_failure="refuse")


class Hook(NamedTuple):
    """A hook request, when it came, and the site it was asked at."""

    name: str
    body: bytes
    now: datetime
    site: Site


def record(directory: Path, hooks: Iterable[Hook], choices: RecordingChoices = VALUES_KEPT) -> None:
    """Decide and record each hook; its request id is its name. The limits of each site stand before its hooks."""
    log = AuditLog(directory, key=None, rotate_bytes=1 << 30)
    recorders: dict[str, Recorder] = {}
    for hook in hooks:
        recorder = recorders.get(hook.site.configuration_hash)
        if recorder is None:
            recorder = recorders[hook.site.configuration_hash] = Recorder(log, hook.site, choices, Metrics().audit)
            recorder.begin(hook.now)
        request, moment = parse_cds_request(hook.body), Moment(hook.name, hook.now, {})
        try:
            decision = decide(request, CLIENT, hook.site, hook.now)
        except DataUnavailableError as error:
            recorder.record_unavailable(request, CLIENT, error.keys, moment)
        else:
            recorder.record_decision(request, CLIENT, decision, (), "none", moment)


def replayed(directory: Path, *sites: Site) -> tuple[list[Recomputed], list[NotRecomputed]]:
    """Return the decisions that were recomputed, and the records that could not be."""
    found = list(replay(read_entries(directory), {site.service.id: site for site in sites}))
    recomputed = [one for one in found if isinstance(one, Recomputed)]
    not_recomputed = [one for one in found if isinstance(one, NotRecomputed)]
    assert len(recomputed) + len(not_recomputed) == len(found)
    return recomputed, not_recomputed
