"""docs/smart-app.md: every threat has a test that exists, every key of the configuration is told, every answer too."""

import re
from pathlib import PurePosixPath

from cds_service.settings.smart_app import SmartAppSettings
from tests.architecture.checkout import python_files, read

PAGE = PurePosixPath("docs/smart-app.md")
THREAT = re.compile(r"^\| (?P<threat>[^|]+) \| (?P<stop>[^|]+) \| (?P<tests>`test_[^|]+) \|$", re.MULTILINE)


def named_tests(page: str) -> dict[str, list[str]]:
    return {row["threat"]: re.findall(r"`(test_\w+)`", row["tests"]) for row in THREAT.finditer(page)}


def test_every_threat_has_tests_that_exist() -> None:
    sources = "\n".join(read(path) for path in python_files() if path.parts[0] == "tests")
    missing = [name for names in named_tests(read(PAGE)).values() for name in names if f"def {name}(" not in sources]

    assert len(named_tests(read(PAGE))) >= 12
    assert missing == []


def test_every_key_of_the_app_is_told() -> None:
    page = read(PAGE)

    assert [key for key in SmartAppSettings.model_fields if f"| `{key}` |" not in page] == []


def test_threat_without_a_test_is_not_counted() -> None:
    assert named_tests("| a threat | what stops it |  |\n") == {}
