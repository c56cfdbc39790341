"""`cohort assess --engine spark` on Java: the bytes of the local engine, however the work is cut."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cds_service.cli import spark_submit
from cds_service.insight.cohort.spark import engine
from tests.support.cohort.assessed import DESIGNS, ENVIRONMENT, assess, wrong_stories
from tests.support.cohort.exports import Bad, lines_of, write_dirty_export, write_export
from tests.support.cohort.histories import History
from tests.support.cohort.one_large_patient import cohort_with_one_large_patient
from tests.support.cohort.recorded_year import assess_recorded, recorded_year
from tests.support.cohort.spark_here import installed_pyspark
from tests.support.cohort.stories import cohort

pyspark = installed_pyspark()

# Of pyspark: it does not close its sockets at the end, and looks at what else is installed.
pytestmark = [pytest.mark.timeout(900), pytest.mark.filterwarnings("default")]


@pytest.fixture(scope="module")
def histories() -> list[History]:
    return cohort(2_000, seed=17)


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory, histories: list[History]) -> tuple[Path, list[Bad]]:
    return write_dirty_export(tmp_path_factory.mktemp("dirty") / "export", histories, seed=3, zipped=True)


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory, export: tuple[Path, Any], histories: list[History]) -> Path:
    out = tmp_path_factory.mktemp("local") / "out"
    assess(export[0], out)
    assert wrong_stories(out, histories) == {}
    return out


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """What Spark's own configuration says, for as long as a test goes on; Java itself is started once."""
    gateway = pyspark.SparkContext._gateway or _started()
    system = gateway.jvm.java.lang.System
    settings: dict[str, str] = {}

    class Settings(dict[str, str]):
        def __setitem__(self, name: str, value: str) -> None:
            settings[name] = value
            system.setProperty(name, value)

    yield Settings()
    for name in settings:
        system.clearProperty(name)


def _started() -> Any:
    pyspark.SparkContext._ensure_initialized()
    return pyspark.SparkContext._gateway


def same_bytes(one: Path, other: Path) -> None:
    assert sorted(file.name for file in one.iterdir()) == sorted(file.name for file in other.iterdir())
    for file in one.iterdir():
        assert file.read_bytes() == (other / file.name).read_bytes(), file.name


@pytest.mark.parametrize("adaptive", ["true", "false"])
@pytest.mark.parametrize("partitions", ["1", "8", "64"])
def test_spark_2000_dirty_patients_give_the_bytes_of_the_local_engine(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    export: tuple[Path, Any],
    local: Path,
    configured: dict[str, str],
    adaptive: str,
    partitions: str,
) -> None:
    configured["spark.sql.adaptive.enabled"] = adaptive
    configured["spark.default.parallelism"] = partitions
    configured["spark.master"] = "local[2]"
    used: list[int] = []
    place = engine._Place

    def noted(number: int) -> Any:
        used.append(number)
        return place(number)

    monkeypatch.setattr(engine, "_Place", noted)
    assess(export[0], tmp_path / "out", engine="spark")

    assert used == [int(partitions)]
    same_bytes(local, tmp_path / "out")


def test_spark_one_patient_with_most_results_gives_the_bytes_of_the_local_engine(
    tmp_path: Path, configured: dict[str, str]
) -> None:
    configured["spark.default.parallelism"] = "8"
    configured["spark.master"] = "local[2]"
    # Less than the lines of that patient are.
    configured["spark.python.worker.memory"] = "1m"
    histories = cohort_with_one_large_patient(80, 10_000, seed=11)
    export = write_export(tmp_path / "export", lines_of(histories))
    assess(export, tmp_path / "local")
    assess(export, tmp_path / "out", engine="spark")

    assert wrong_stories(tmp_path / "out", histories) == {}
    same_bytes(tmp_path / "local", tmp_path / "out")


def test_spark_joins_recorded_decisions_to_the_bytes_of_the_local_engine(
    tmp_path: Path, configured: dict[str, str]
) -> None:
    configured["spark.default.parallelism"] = "5"
    configured["spark.master"] = "local[2]"
    (tmp_path / "year").mkdir()
    year = recorded_year(tmp_path / "year")
    assess_recorded(year, tmp_path / "local")
    assess_recorded(year, tmp_path / "out", engine="spark")

    assert (tmp_path / "out/disagreements.csv").read_text().count("\n") > 1
    same_bytes(tmp_path / "local", tmp_path / "out")


def test_spark_export_by_address_and_by_spark_submit_give_the_bytes_of_the_local_engine(tmp_path: Path) -> None:
    """As `spark-submit` runs it, which brings master and configuration."""
    export = write_export(tmp_path / "export", lines_of(cohort(60, seed=9)))
    assess(export, tmp_path / "local")
    home, entry = Path(pyspark.__path__[0]), Path(spark_submit.__path__[0]) / "sii_cds_cohort_assess.py"
    designs = [word for design in DESIGNS for word in ("--design", design)]
    command: list[object] = [
        home / "bin/spark-submit",
        "--master",
        "local[2]",
        "--conf",
        "spark.default.parallelism=3",
        entry,
    ]
    command += [f"file://{export}", "--out", tmp_path / "out", "--identifiers", "plain"]
    environment = {**os.environ, **ENVIRONMENT, "PYSPARK_PYTHON": sys.executable, "SPARK_HOME": str(home)}
    told = subprocess.run(
        [*map(str, command), *designs], env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )

    assert told.returncode == 0, told.stderr.decode()
    same_bytes(tmp_path / "local", tmp_path / "out")
