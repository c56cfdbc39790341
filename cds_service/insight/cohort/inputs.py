"""What a run reads besides the lines of an export: its files, its manifest, and the decisions of the audit log."""

from __future__ import annotations

import json
import os
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple, Protocol

from cds_service.audit.decoding import UNREADABLE
from cds_service.audit.keys import PSEUDONYM_PREFIX
from cds_service.audit.policies import UnknownLimitError, decode_policy
from cds_service.audit.reading import read_entries
from cds_service.audit.records import ConfigurationRecord, HookRecord
from cds_service.clinical.policy import ClinicalPolicy
from cds_service.errors import CohortInputError
from cds_service.insight.cohort.export_heads import RECORDED_DECISION, Head
from cds_service.insight.cohort.reading import ExportFile
from cds_service.insight.cohort.recorded import encode_decision
from cds_service.insight.cohort.tables import open_private
from cds_service.insight.sources.export_files import KNOWN_ENDINGS, find_files
from cds_service.insight.sources.export_manifest import find_manifests, read_transaction_time
from cds_service.insight.sources.remote_files import RemotePath, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date, datetime, tzinfo
    from pathlib import Path

    from cds_service.audit.bookkeeping import AnyRecord
    from cds_service.decision.site import Site
    from cds_service.insight.cohort.reading import FileReading
    from cds_service.insight.cohort.request import Findings
    from cds_service.insight.sources.export_manifest import Manifest
    from cds_service.insight.sources.remote_files import ExportPath


class Inputs(NamedTuple):
    """The files of an export in the order of their names, and what it says of itself."""

    files: tuple[ExportFile, ...]
    manifests: tuple[Manifest, ...]

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        return sum(file.path.stat().st_size for file in self.files)


def find_inputs(exports: Sequence[ExportPath]) -> Inputs:
    """Find the files of exports: named ones, those of named folders, those of named manifests.

    Raises CohortInputError where there are none, or a folder or file cannot be read.
    """
    try:
        return _found(exports)
    except OSError as error:
        if not any(isinstance(path, RemotePath) for path in exports):
            raise
        raise CohortInputError(f"the export cannot be read: {error}") from error


def _found(exports: Sequence[ExportPath]) -> Inputs:
    for path in exports:
        if not _can_be_read(path):
            raise CohortInputError(f"{shown(path)}: cannot be read")
    manifests = find_manifests(exports)
    named = {manifest.path for manifest in manifests}
    listed = [file.path for manifest in manifests for file in manifest.files if file.path.is_file()]
    files = list(dict.fromkeys([*find_files(path for path in exports if path not in named), *listed]))
    if not files:
        raise CohortInputError(f"no NDJSON file ({KNOWN_ENDINGS}) in {', '.join(map(shown, exports))}")
    return Inputs(_named(sorted(files, key=str), exports), manifests)


def _can_be_read(path: ExportPath) -> bool:
    if isinstance(path, RemotePath):
        return path.exists()
    return os.access(path, os.R_OK | (os.X_OK if path.is_dir() else 0))


def _named(files: Iterable[ExportPath], exports: Sequence[ExportPath]) -> tuple[ExportFile, ...]:
    """Name each file as within the folder that was named, or in full where two would be called the same."""
    folders = [path for path in exports if path.is_dir()]
    short = {}
    for file in files:
        within = next((folder for folder in folders if folder in file.parents), file.parent)
        short[file] = file.relative_to(within).as_posix()
    twice = Counter(short.values())
    return tuple(ExportFile(file, name if twice[name] == 1 else shown(file)) for file, name in short.items())


def last_day(inputs: Inputs, data_cutoff: date | None, now: datetime, zone: tzinfo) -> date:
    """Return the last day that counts: of the cut-off, of what the export says of itself, and no day to come."""
    days = [now.astimezone(zone).date()]
    if data_cutoff is not None:
        days.append(data_cutoff)
    for manifest in inputs.manifests:
        moment = read_transaction_time(manifest.transaction_time, zone)
        if moment is not None:
            days.append(moment.astimezone(zone).date())
    return min(days)


def judge_files(inputs: Inputs, readings: Sequence[FileReading], findings: Findings) -> None:
    """Find what is missing: files that end early, and those that the manifest tells of otherwise."""
    lines = {}
    for file, reading in zip(inputs.files, readings, strict=True):
        lines[file.path] = reading.lines
        if reading.fault:
            findings.incomplete.append(f"{reading.name} could not be read to its end: {reading.fault}.")
    for manifest in inputs.manifests:
        for listed in manifest.files:
            name, found = listed.path.name, lines.get(listed.path)
            if found is None:
                findings.incomplete.append(f"{name} is missing, and the manifest names it.")
            elif listed.resources is not None and found < listed.resources:
                findings.incomplete.append(f"{name} holds {found} lines, and the manifest says {listed.resources}.")
    bad = sum(reading.bad for reading in readings)
    if bad:
        is_one = bad == 1
        findings.notes.append(f"{bad} {'line is' if is_one else 'lines are'} no resource; see problems.jsonl.")


class HeadWriter(Protocol):
    """Takes heads, each under the key that all of its patient have."""

    def add(self, head: Head, key: str) -> None:
        """Take one."""

    def flush(self) -> None:
        """Write what waits."""


class RecordSpiller:
    """Adds the decisions of audit logs to the parts of their patients."""

    def __init__(self, site: Site, writer: HeadWriter, key_of: Callable[[str], str] | None) -> None:
        """Keep what writes; `key_of` is None where the site has no key."""
        self._site = site
        self._writer = writer
        self._key_of = key_of
        # Whether the limits behind a configuration are those of today.
        self._same_limits: dict[str, bool] = {}

    def spill(self, directories: Sequence[Path], problems: Path) -> int:
        """Add all decisions; lines that are no record go to a new file of problems, and are counted.

        Raises CohortInputError for a log that cannot be read, is empty, or holds pseudonyms where there is no key.
        """
        bad = 0
        with open_private(problems) as stream:
            for directory in directories:
                entry = None
                try:
                    for entry in read_entries(directory):
                        if entry.record is None:
                            bad += 1
                            line = {"file": entry.file, "line": entry.line, "reason": "no record of an audit log"}
                            stream.write(json.dumps(line) + "\n")
                        else:
                            self._add(entry.sequence, entry.record, directory)
                except OSError as error:
                    text = f"{directory}: the audit log cannot be read: {error.strerror or error}"
                    raise CohortInputError(text) from error
                if entry is None:
                    raise CohortInputError(f"{directory}: there is no audit log in this directory")
        self._writer.flush()
        return bad

    def _add(self, sequence: int, record: AnyRecord, directory: Path) -> None:
        if isinstance(record, ConfigurationRecord):
            self._same_limits[record.configuration] = self._are_limits_of_today(record)
        if not isinstance(record, HookRecord) or record.service != self._site.service.id:
            return
        if self._key_of is None and record.patient.startswith(PSEUDONYM_PREFIX):
            raise CohortInputError(
                f"{directory}: the audit log holds pseudonyms; name their key with audit.hmac_key_file"
            )
        same = self._same_limits.get(record.configuration, False)
        head = Head(record.patient, RECORDED_DECISION, encode_decision(sequence, record, same_limits=same))
        self._writer.add(head, self._key_of(record.patient) if self._key_of is not None else record.patient)

    def _are_limits_of_today(self, record: ConfigurationRecord) -> bool:
        try:
            return decode_policy(bytes(record.policy), ClinicalPolicy) == self._site.policy
        except (*UNREADABLE, UnknownLimitError, KeyError):
            return False
