"""A machine without pyspark or Java is told what to do, with exit code 2, before anything is read."""

import sys
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner

from cds_service.cli.main import main

EXPORT = '{"resourceType":"Patient","id":"a"}\n'


def java(folder: Path, text: str) -> str:
    program = folder / "java"
    program.write_text(f"#!/bin/sh\necho '{text}' >&2\n")
    program.chmod(0o755)
    return str(folder)


def run(tmp_path: Path, *words: str) -> tuple[int, str]:
    (tmp_path / "Patient.ndjson").write_text(EXPORT)
    command = ["cohort", "assess", *(words or [str(tmp_path)]), "--out", str(tmp_path / "out"), "--engine", "spark"]
    result = CliRunner().invoke(main, command, env={"SII_CDS__AUTHENTICATION__REQUIRED": "false"})
    assert not (tmp_path / "out").exists()
    return result.exit_code, " ".join(result.output.split())


@pytest.fixture(autouse=True)
def _no_gateway(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYSPARK_GATEWAY_PORT", raising=False)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setitem(sys.modules, "pyspark", ModuleType("pyspark"))


def test_spark_without_pyspark_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    code, text = run(tmp_path)

    assert code == 2
    assert "needs pyspark" in text
    assert "pip install" in text


@pytest.mark.parametrize(
    ("told", "expected", "reason"),
    [
        (None, "there is none", "no Java at all"),
        ('openjdk version "11.0.2" 2019-01-15', "is Java 11", "too old"),
        ('java version "1.8.0_292"', "is Java 1", "older ones count otherwise"),
        ("no such thing", "does not tell its version", "another program of that name"),
    ],
)
def test_spark_without_java_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str | None, expected: str, reason: str
) -> None:
    monkeypatch.setenv("PATH", java(tmp_path, told) + ":/bin" if told is not None else str(tmp_path))
    code, text = run(tmp_path)

    assert code == 2, reason
    assert expected in text, reason
    assert "apt-get install openjdk-17-jre-headless" in text


def test_java_home_that_leads_nowhere_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    code, text = run(tmp_path)

    assert code == 2
    assert "cannot be started" in text


def test_address_with_the_local_engine_is_refused(tmp_path: Path) -> None:
    command = ["cohort", "assess", f"file://{tmp_path}", "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(main, command, env={"SII_CDS__AUTHENTICATION__REQUIRED": "false"})

    assert result.exit_code == 2
    assert "--engine spark" in result.output
