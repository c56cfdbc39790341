"""The wheel holds everything the packages hold: what is missing there is first missed in the container."""

import configparser
import importlib.metadata
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.architecture.checkout import PACKAGES, ROOT, read, repository_files
from tests.architecture.test_locks import project


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the checkout by the locked backend, without network."""
    folder = tmp_path_factory.mktemp("wheel")
    build = ["-m", "pip", "wheel", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    answer = subprocess.run(
        [sys.executable, *build, "--wheel-dir", folder, ROOT], capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    return next(folder.glob("sii_cds-*.whl"))


@pytest.fixture(scope="module")
def wheel_names(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def files_of_packages(root: Path) -> list[str]:
    """Every file on disk but compiled ones: an ignore rule of git that hides source shows up here."""
    files = (path for package in PACKAGES for path in (root / package).rglob("*") if path.is_file())
    return [path.relative_to(root).as_posix() for path in files if path.suffix != ".pyc"]


def left_out(names: Iterable[str], expected: Iterable[str]) -> list[str]:
    return sorted(set(expected) - set(names))


def intruders(names: Iterable[str]) -> list[str]:
    """Entries outside the two packages and the wheel's own metadata."""
    return sorted(
        name for name in names if (first := name.partition("/")[0]) not in PACKAGES and not first.endswith(".dist-info")
    )


def test_wheel_holds_every_file_of_the_packages(wheel_names: list[str]) -> None:
    assert left_out(wheel_names, files_of_packages(ROOT)) == []


def test_wheel_holds_nothing_else(wheel_names: list[str]) -> None:
    assert intruders(wheel_names) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_wheel_says_that_the_package_is_typed(wheel_names: list[str], package: str) -> None:
    assert f"{package}/py.typed" in wheel_names


def test_wheel_carries_the_license(wheel_names: list[str]) -> None:
    assert [name for name in wheel_names if name.endswith(".dist-info/licenses/LICENSE")]


def test_wheel_command_names_a_module_it_holds(wheel: Path, wheel_names: list[str]) -> None:
    metadata = next(name for name in wheel_names if name.endswith("/entry_points.txt"))
    parser = configparser.ConfigParser()
    parser.read_string(zipfile.ZipFile(wheel).read(metadata).decode())
    module = parser["console_scripts"]["sii-cds"].partition(":")[0]

    assert f"{module.replace('.', '/')}.py" in wheel_names


def test_left_out_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "fhir_mappings").mkdir()
    (tmp_path / "fhir_mappings" / "units.toml").touch()
    (tmp_path / "fhir_mappings" / "units.pyc").touch()

    assert left_out(["fhir_mappings/__init__.py"], files_of_packages(tmp_path)) == ["fhir_mappings/units.toml"]


def test_intruder_is_named() -> None:
    names = ["cds_service/app.py", "tests/conftest.py", "sii_cds-0.2.0.dist-info/METADATA"]

    assert intruders(names) == ["tests/conftest.py"]


def test_installation_is_of_the_version_of_this_checkout() -> None:
    """Else reports and metrics tell another one: `make test` installs the checkout anew."""
    assert importlib.metadata.version("sii-cds") == project()["project"]["version"]


# Where the version stands besides pyproject.toml, with the words before it.
VERSIONED = {
    "docker/Dockerfile": 'org.opencontainers.image.version="',
    "docker/README.md": "sii-cds:",
    "docker/compose.yaml": "image: sii-cds:",
    "docker/kubernetes/statefulset.yaml": "image: sii-cds:",
    "cds_service/web/openapi.json": '"version": "',
    "README.md": "**Alpha (",
}


@pytest.mark.parametrize("name", VERSIONED)
def test_version_is_that_of_pyproject_wherever_it_stands(name: str) -> None:
    version = project()["project"]["version"]
    text = (ROOT / name).read_text(encoding="utf-8")

    assert set(re.findall(rf"{re.escape(VERSIONED[name])}(\d+\.\d+\.\d+)", text)) == {version}


def test_changelog_begins_with_this_version_and_its_day_or_with_what_is_not_released() -> None:
    heading = re.search(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)

    assert heading is not None
    version = re.escape(project()["project"]["version"])
    assert re.fullmatch(rf"{version} \(\d{{4}}-\d{{2}}-\d{{2}}\)|Unreleased", heading[1])


# The name alone would be looked up on an index, where it may be somebody else's.
BY_NAME = re.compile(r"pip3? install (?:-\S+ )*['\"]?sii[-_]cds(?!\S*\.whl)")


def installations_by_name(text: str) -> list[str]:
    return BY_NAME.findall(text)


def test_nobody_is_told_to_install_by_name() -> None:
    texts = {path: read(path) for path in repository_files() if path.suffix in {".md", ".py", ".toml", ".yaml", ".sh"}}

    assert {str(path): found for path, text in texts.items() if (found := installations_by_name(text))} == {}


@pytest.mark.parametrize(
    ("arguments", "named"),
    [("sii-cds", True), ("'sii-cds[cohort]'", True), ("--quiet sii_cds", True), ("dist/sii_cds-0.2.0.whl", False)],
)
def test_installation_by_name_is_found(arguments: str, named: bool) -> None:
    assert bool(installations_by_name(" ".join(("pip", "install", arguments)))) is named
