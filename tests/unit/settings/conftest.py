"""Writing a configuration file and reading it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

from cds_service.settings import Settings, SettingsError, load_settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Load(Protocol):
    """Loads a configuration text as a file in a fresh directory."""

    def __call__(self, text: str | bytes, environ: Mapping[str, str] | None = None) -> Settings:
        """Return the settings or raise SettingsError."""


class Problems(Protocol):
    """Loads a configuration text that cannot be used."""

    def __call__(self, text: str | bytes, environ: Mapping[str, str] | None = None) -> list[str]:
        """Return the error lines; the file is called sii-cds.yaml in them."""


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    """Name the file that `load` writes."""
    return tmp_path / "sii-cds.yaml"


@pytest.fixture
def load(config_file: Path) -> Load:
    """Load a text with authentication as written there."""

    def _load(text: str | bytes, environ: Mapping[str, str] | None = None) -> Settings:
        config_file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_settings(config_file, environ or {})

    return _load


@pytest.fixture
def problems(load: Load, config_file: Path) -> Problems:
    """Give the error lines of a text, with the directory taken off."""

    def _problems(text: str | bytes, environ: Mapping[str, str] | None = None) -> list[str]:
        with pytest.raises(SettingsError) as caught:
            load(text, environ)
        return [str(problem).replace(f"{config_file.parent}/", "") for problem in caught.value.problems]

    return _problems
