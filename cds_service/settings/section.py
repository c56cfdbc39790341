"""What every configuration section has in common, and the mark that tells who approves its content."""

from enum import StrEnum
from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class Content(StrEnum):
    """Who answers for a section: different people approve a cut-off and a listen address."""

    CLINICAL = "clinical"
    OPERATIONS = "operations"


class SettingsSection(BaseModel):
    """A frozen section: unknown keys refused, no value converted from another type."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", validate_default=True)

    content: ClassVar[Content]
    restart_keys: ClassVar[tuple[str, ...]] = ()
    """Keys whose change takes effect at the next start only; all others change in place on reload."""
