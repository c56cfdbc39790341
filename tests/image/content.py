"""What may be in the image and what not."""

from __future__ import annotations

import json
import os
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.architecture.checkout import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Whoever gets into the container shall find neither tools nor traces of the build.
_FORBIDDEN_NAMES: Final = re.compile(
    r"pip\d*(\.\d+)?|pip-.*\.dist-info|setuptools|ensurepip|hatchling|uv|gcc|cc|g\+\+|make|git|curl|wget"
    r"|tests|conftest\.py|\.git|\.env|.*\.lock|.*\.key|id_rsa.*|\.pypirc|\.netrc|pip\.conf"
)
# Lock files of dpkg and locks in the sense of threads; a folder of the TLS library of Debian that holds nothing.
# libstdc++ keeps a debugger's view of itself in a folder that is named after the compiler.
_ALLOWED: Final = re.compile(r"var/.*|usr/share/(bash-completion|zsh)/.*|usr/share/gcc|etc/.*\.lock|run/.*")
_BILL: Final = "opt/sii-cds/sbom.cdx.json"
_SECRET: Final = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_SECRET_VARIABLES: Final = re.compile(r"(?i)password|secret|token|key")


def problems(root: Path, configuration: Mapping[str, Any]) -> list[str]:
    """Name what is wrong with the content of the image and with how it says it is to be run."""
    return [*_configuration_problems(configuration), *_bill_problems(root), *_file_problems(root)]


def _configuration_problems(configuration: Mapping[str, Any]) -> Iterator[str]:
    expected = {
        "User": "10001:10001",
        "Entrypoint": ["sii-cds"],
        "Cmd": ["serve"],
        "WorkingDir": "/var/lib/sii-cds",
        "StopSignal": "SIGTERM",
        "ExposedPorts": {"8080/tcp": {}},
    }
    for name, value in expected.items():
        if configuration.get(name) != value:
            yield f"{name} is {configuration.get(name)!r}, not {value!r}"
    if configuration.get("Healthcheck", {}).get("Test", [""])[0] != "CMD":
        yield "the health check is missing or needs a shell"
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    labels = {"title": "sii-cds", "version": version, "licenses": "Apache-2.0"}
    for name, value in labels.items():
        if (found := configuration.get("Labels", {}).get(f"org.opencontainers.image.{name}")) != value:
            yield f"the label {name} is {found!r}, not {value!r}"
    for variable in configuration["Env"]:
        if _SECRET_VARIABLES.search(variable.partition("=")[0]):
            yield f"the variable {variable.partition('=')[0]} looks like a secret"


def _bill_problems(root: Path) -> Iterator[str]:
    try:
        listed = json.loads((root / _BILL).read_text(encoding="utf-8"))["components"]
    except (OSError, ValueError, KeyError) as error:
        yield f"the bill of materials cannot be read: {error}"
        return
    if not {"flask", "granian"} <= {each["name"] for each in listed}:
        yield "the bill of materials lacks what the image holds"


def _file_problems(root: Path) -> Iterator[str]:
    for folder, folders, files in os.walk(root):
        place = Path(folder).relative_to(root)
        for name in (*folders, *files):
            path = place / name
            if _FORBIDDEN_NAMES.fullmatch(name) and not _ALLOWED.fullmatch(str(path)):
                yield f"/{path} has no place in the image"
        if place.parts[:2] == ("opt", "sii-cds"):
            yield from (f"/{place / name} holds a private key" for name in files if _holds_secret(root / place / name))


def _holds_secret(path: Path) -> bool:
    return path.suffix not in {".py", ".pyc", ".so"} and path.is_file() and bool(_SECRET.search(path.read_bytes()))


def size(root: Path) -> int:
    """Return the bytes of all files."""
    return sum((Path(folder) / name).lstat().st_size for folder, _folders, files in os.walk(root) for name in files)
