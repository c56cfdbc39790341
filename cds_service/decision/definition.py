"""What makes one CDS Service another one: its id, its rule, what it says, and the limits it takes from a site."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from cds_service.cards.voice import Voice
    from cds_service.clinical.policy import ClinicalPolicy
    from cds_service.clinical.rule import Rule


def limits_as_configured(policy: ClinicalPolicy) -> ClinicalPolicy:
    """Take every limit as the site configured it."""
    return policy


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceDefinition:
    """A CDS Service. `id` is the last segment of its path, and names it in the audit log.

    What discovery says of it is among the texts of its voice. `limits` turns the
    limits that a site configured into those of this service: the key `rule.cutoff` is about SII alone.
    """

    id: str
    voice: Voice
    limits: Callable[[ClinicalPolicy], ClinicalPolicy] = field(default=limits_as_configured)

    @property
    def rule(self) -> Rule:
        """Return the rule that the service decides by."""
        return self.voice.rule

    @property
    def rule_version(self) -> str:
        """Name the version of the rule."""
        return self.rule.version


# The version of the CDS Hooks specification that is implemented.
SPECIFICATION_VERSION: Final = "2.0.1"
