"""`cohort assess`: from an export to a folder of rows, which appears whole or not at all."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from cds_service.decision.reading_memory import ReadingMemory
from cds_service.decision.site import site_from_settings
from cds_service.errors import CohortInputError, CohortRunError
from cds_service.insight.cohort.adjudication import read_outcomes
from cds_service.insight.cohort.assessing import Plan
from cds_service.insight.cohort.designs import RECORDED
from cds_service.insight.cohort.export_heads import HeadReader
from cds_service.insight.cohort.identifiers import make_identifiers
from cds_service.insight.cohort.inputs import RecordSpiller, find_inputs, judge_files, last_day
from cds_service.insight.cohort.local_engine import Splitting, assess_parts, split_files
from cds_service.insight.cohort.processes import Counters, Workers
from cds_service.insight.cohort.recorded import DISAGREEMENT_COLUMNS
from cds_service.insight.cohort.request import AssessSummary, Findings
from cds_service.insight.cohort.rooms import Rooms, joined_problems, merged_disagreements, merged_rows
from cds_service.insight.cohort.run_description import describe_run
from cds_service.insight.cohort.spark.engine import RecordedHeads, SparkRun, assess_on_spark
from cds_service.insight.cohort.spark.starting import require_spark
from cds_service.insight.cohort.spill import SpillWriter, number_of_parts
from cds_service.insight.cohort.tables import open_private, require_pyarrow, write_csv, write_rows
from cds_service.insight.cohort.whole_folder import check_free, whole_folder
from cds_service.insight.sources.remote_files import RemotePath
from cds_service.services.sii_recurrence_risk import SII_RECURRENCE_RISK

if TYPE_CHECKING:
    from pathlib import Path

    from cds_service.decision.site import Site
    from cds_service.insight.cohort.identifiers import Identifiers
    from cds_service.insight.cohort.inputs import HeadWriter
    from cds_service.insight.cohort.reading import FileReading
    from cds_service.insight.cohort.request import AssessRequest, Progress
    from cds_service.insight.cohort.tally import Tally

RUN_FILE: Final = "run.json"
FLOW_FILE: Final = "flow.json"
PROBLEMS_FILE: Final = "problems.jsonl"
DISAGREEMENTS_FILE: Final = "disagreements.csv"
KEY_FILE: Final = "pseudonym.key"
_GZIP_ENDING: Final = ".gz"
# A gzip file becomes so much larger, at most: parts are counted before anything is read.
_UNPACKED: Final = 12


def assess_export(request: AssessRequest, progress: Progress) -> AssessSummary:
    """Assess an export into the folder that was asked for.

    Raises CohortInputError for what cannot be used, MissingExtraError without pyarrow, and CohortRunError where the run
    could not be finished; then nothing of it is left.
    """
    require_pyarrow()
    if request.engine == "spark":
        require_spark()
    elif any(isinstance(path, RemotePath) for path in request.exports):
        raise CohortInputError("an address is read with --engine spark; the local engine reads files of this machine")
    check_free(request.out)
    try:
        with whole_folder(request.out) as folder:
            return _Run(request, folder, progress).run()
    except OSError as error:
        text = f"{request.out}: cannot be written: {error.strerror or error}; nothing was left behind"
        raise CohortRunError(text) from error
    except MemoryError as error:
        raise CohortRunError("there was too little memory to finish the run; nothing was left behind") from error


class _Run:
    """One run, step by step."""

    def __init__(self, request: AssessRequest, folder: Path, progress: Progress) -> None:
        """Find what is to be read; read nothing yet."""
        self._request = request
        self._folder = folder
        self._progress = progress
        self._inputs = find_inputs(request.exports)
        self._site: Site = site_from_settings(request.settings, SII_RECURRENCE_RISK)
        self._names: Identifiers = make_identifiers(
            request.settings.audit.hmac_key_file, plain=request.plain, with_records=bool(request.audit)
        )
        self._counters = Counters()
        self._workers = Workers(request.workers, self._counters, self._look)
        self._findings = Findings()

    def run(self) -> AssessSummary:
        """Read, split, assess and write."""
        spill = self._folder / "spill"
        spill.mkdir(mode=0o700)
        rooms = Rooms.make(spill)
        plan = self._plan()
        engine = self._on_spark if self._request.engine == "spark" else self._here
        tally, readings, bad_records = engine(rooms, plan)
        if not tally.patients:
            raise CohortRunError("no line of the export speaks of a patient, so there is nothing to assess")
        judge_files(self._inputs, readings, self._findings)
        self._judge(tally)
        flow = tally.flow(self._design_names())
        self._write(rooms, plan, tally, flow, readings)
        shutil.rmtree(spill)
        return AssessSummary(tally, flow, bad_records + sum(r.bad for r in readings), self._findings)

    def _here(self, rooms: Rooms, plan: Plan) -> tuple[Tally, tuple[FileReading, ...], int]:
        """Split and assess by the processes of this machine."""
        parts = number_of_parts(self._unpacked_size())
        # Before the files: they are many, and a log that cannot be used ends the run at once.
        bad_records = self._add_records(rooms, SpillWriter(rooms.parts, "records", parts))
        readings = self._split(rooms, parts)
        return self._assess(rooms, plan), readings, bad_records

    def _on_spark(self, rooms: Rooms, plan: Plan) -> tuple[Tally, tuple[FileReading, ...], int]:
        """Split and assess by the executors of Spark."""
        request = self._request
        recorded = RecordedHeads()
        bad_records = self._add_records(rooms, recorded)
        run = SparkRun(plan, request.settings.mappings.overlays, self._names.keys, rooms, request.workers)
        tally, readings = assess_on_spark(self._inputs, recorded, run)
        return tally, readings, bad_records

    def _plan(self) -> Plan:
        request = self._request
        zone = self._site.policy.timezone
        return Plan(
            site=self._site,
            designs=request.designs,
            name=self._names.name,
            memory=ReadingMemory(self._site),
            only_first=request.only_first,
            course=request.course,
            follow_up=request.follow_up,
            until=last_day(self._inputs, request.data_cutoff, datetime.now(UTC), zone),
            adjudicated=read_outcomes(request.outcomes) if request.outcomes is not None else {},
        )

    def _unpacked_size(self) -> int:
        files = [file.path for file in self._inputs.files]
        return sum(path.stat().st_size * (_UNPACKED if path.suffix == _GZIP_ENDING else 1) for path in files)

    def _add_records(self, rooms: Rooms, writer: HeadWriter) -> int:
        if not self._request.audit:
            return 0
        key_of = self._names.key_of if self._names.has_site_key else None
        return RecordSpiller(self._site, writer, key_of).spill(self._request.audit, rooms.problems / "records")

    def _split(self, rooms: Rooms, parts: int) -> tuple[FileReading, ...]:
        splitting = Splitting(HeadReader(self._site.mappings), parts, self._names.key_of)
        self._begin("Reading", self._inputs.size)
        readings = split_files(self._inputs.files, splitting, rooms, self._workers, self._counters)
        self._progress.end()
        return readings

    def _assess(self, rooms: Rooms, plan: Plan) -> Tally:
        self._begin("Assessing", sum(file.stat().st_size for file in rooms.parts.iterdir()))
        tally = assess_parts(rooms, plan, self._names.key_of, self._workers, self._counters)
        self._progress.end()
        return tally

    def _begin(self, what: str, size: int) -> None:
        self._progress.begin(what, size)
        self._began = self._counters.told[0]

    def _look(self) -> None:
        size, patients = self._counters.told
        self._progress.show(size - self._began, patients)

    def _design_names(self) -> list[str]:
        return [design.name for design in self._request.designs] + ([RECORDED] if self._request.audit else [])

    def _judge(self, tally: Tally) -> None:
        """Note what leaves little to look at."""
        if not tally.with_index_procedure:
            self._findings.incomplete.append(
                "No patient has a completed procedure of the tables with a date, so nothing begins follow-up. "
                "Is Procedure in the export? `sii-cds doctor` finds codes that the tables do not know."
            )
        if tally.unclear:
            what = "resource" if tally.unclear == 1 else "resources"
            self._findings.notes.append(
                f"{tally.unclear} {what} came in several versions, and nothing tells which is the newest."
            )

    def _write(
        self, rooms: Rooms, plan: Plan, tally: Tally, flow: dict[str, Any], readings: tuple[FileReading, ...]
    ) -> None:
        folder = self._folder
        write_rows(folder, merged_rows(rooms))
        if self._request.audit:
            write_csv(folder / DISAGREEMENTS_FILE, DISAGREEMENT_COLUMNS, merged_disagreements(rooms))
        with open_private(folder / PROBLEMS_FILE) as stream:
            stream.writelines(joined_problems(rooms))
        for name, content in (
            (FLOW_FILE, flow),
            (RUN_FILE, describe_run(self._request, plan, self._inputs, tally, readings, self._findings)),
        ):
            with open_private(folder / name) as stream:
                stream.write(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
        if self._names.made_key is not None:
            with open_private(folder / KEY_FILE) as stream:
                stream.write(self._names.made_key.decode() + "\n")
