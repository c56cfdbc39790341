"""All that can be configured, section by section.

`clinical_content.py` holds the sections a clinical owner approves, `operations_content.py` those of hospital IT.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Final, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, PrivateAttr
from pydantic_core import CoreSchema, core_schema

from cds_service.settings.clinical_content import (
    CardSettings,
    EligibilitySettings,
    MappingSettings,
    NormalizationSettings,
    RuleSettings,
    TimingSettings,
)
from cds_service.settings.errors import KeyPath, dotted
from cds_service.settings.operations_content import (
    AcquisitionSettings,
    AuditSettings,
    AuthenticationSettings,
    ClientSettings,
    CorsSettings,
    ServerSettings,
    ServiceSettings,
    StateSettings,
)
from cds_service.settings.section import SettingsSection

_Part = TypeVar("_Part")


class _EmptyMeansDefault:
    """Reads `section:` with nothing below it (all keys commented out) as an empty section."""

    def __init__(self, empty: Callable[[], object]) -> None:
        self._empty = empty

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        inner = handler(source)
        return core_schema.no_info_before_validator_function(
            lambda value: self._empty() if value is None else value,
            inner,
            json_schema_input_schema=core_schema.nullable_schema(inner),
        )


_Keys = Annotated[_Part, _EmptyMeansDefault(dict), Field(default_factory=dict)]


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where values came from and what is odd about them; no part of what is configured."""

    origins: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


class Settings(BaseModel):
    """The configuration of one site."""

    model_config = ConfigDict(
        strict=True, frozen=True, extra="forbid", validate_default=True, title="sii-cds configuration"
    )

    service: _Keys[ServiceSettings]
    server: _Keys[ServerSettings]
    authentication: _Keys[AuthenticationSettings]
    clients: Annotated[tuple[ClientSettings, ...], _EmptyMeansDefault(tuple)] = Field(
        (), description="EHRs that may call this service, one entry for each."
    )
    rule: _Keys[RuleSettings]
    eligibility: _Keys[EligibilitySettings]
    timing: _Keys[TimingSettings]
    normalization: _Keys[NormalizationSettings]
    cards: _Keys[CardSettings]
    mappings: _Keys[MappingSettings]
    acquisition: _Keys[AcquisitionSettings]
    audit: _Keys[AuditSettings]
    state: _Keys[StateSettings]
    cors: _Keys[CorsSettings]

    _provenance: Provenance = PrivateAttr(default_factory=Provenance)

    @property
    def origins(self) -> Mapping[str, str]:
        """Where each effective value came from: `FILE:LINE`, `environment NAME`, `program` or `default`."""
        return self._provenance.origins

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is allowed but probably not meant, in sentences with their place."""
        return self._provenance.warnings

    @cached_property
    def hash(self) -> str:
        """Twelve hexadecimal digits that stand for the effective values, wherever they came from."""
        values = {dotted(path): plain(value) for path, value in self.effective_values()}
        canonical = json.dumps(values, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]

    @property
    def languages(self) -> frozenset[str]:
        """The languages in which cards are shown."""
        return frozenset({self.service.language, *(client.language for client in self.clients if client.language)})

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that are read again on reload: overlays, key sets, keys and secrets of trend apps, certificates."""
        apps = [client.smart_app for client in self.clients if client.smart_app is not None]
        named = (
            *self.mappings.overlays,
            *(client.jwks_file for client in self.clients),
            *(path for app in apps for path in (app.private_key_file, app.client_secret_file)),
            self.acquisition.ca_file,
        )
        return tuple(path for path in named if path is not None)

    def effective_values(self) -> Iterator[tuple[KeyPath, object]]:
        """Yield every key with its value in the order of the sections; clients by their index."""
        # Not `for ... in self`, which would also yield the cached hash.
        for name in type(self).model_fields:
            part = getattr(self, name)
            if isinstance(part, SettingsSection):
                yield from (((name, key), value) for key, value in part)
                continue
            if not part:
                yield (name,), part
            for index, client in enumerate(part):
                yield from (((name, index, key), value) for key, value in client)

    def with_provenance(self, provenance: Provenance) -> Self:
        """Return a copy that knows where its values came from and what to warn about."""
        known = self.model_copy()
        known._provenance = provenance  # noqa: SLF001  the copy is of this class
        return known

    def __copy__(self) -> Self:
        """Copy without the cached hash: a copy may be given other values."""
        copied = super().__copy__()
        copied.__dict__.pop("hash", None)
        return copied


def plain(value: object) -> object:
    """Turn an effective value into what JSON can hold; exact numbers become their shortest text."""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if isinstance(value, SettingsSection):
        return {key: plain(item) for key, item in value}
    return value


SECTIONS: Final[Mapping[str, type[SettingsSection]]] = MappingProxyType(
    {
        name: info.annotation
        for name, info in Settings.model_fields.items()
        if isinstance(info.annotation, type) and issubclass(info.annotation, SettingsSection)
    }
)

RESTART_KEYS: Final[tuple[str, ...]] = tuple(
    f"{name}.{key}" for name, section in SECTIONS.items() for key in section.restart_keys
)


def restart_needed(running: Settings, wanted: Settings) -> tuple[str, ...]:
    """Name the restart keys whose values differ; empty when a reload brings everything into effect."""
    before = {dotted(path): value for path, value in running.effective_values()}
    after = {dotted(path): value for path, value in wanted.effective_values()}
    return tuple(key for key in RESTART_KEYS if before[key] != after[key])


__all__ = [
    "RESTART_KEYS",
    "SECTIONS",
    "ClientSettings",
    "Settings",
    "plain",
    "restart_needed",
]
