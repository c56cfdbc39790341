"""A site: everything a decision needs that comes from its configuration, made once and shared by all requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from cds_service.cards.options import CardOptions
from cds_service.clinical.policy import ClinicalPolicy
from cds_service.clinical.rule import Criterion
from cds_service.normalization.measures import Measures
from cds_service.settings.overlays import load_site_mappings

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Literal

    from cds_service.decision.definition import ServiceDefinition
    from cds_service.settings.models import Settings
    from fhir_mappings.mappings import Mappings


@dataclass(frozen=True, slots=True)
class Site:
    """What a service decides by at a site: policy, mapping tables and card options, with the configuration's hash."""

    policy: ClinicalPolicy
    mappings: Mappings
    cards: CardOptions
    mode: Literal["active", "silent"]
    configuration_hash: str
    service: ServiceDefinition
    # What codes and units mean by `mappings`: kept from one chart to the next.
    measures: Measures = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "measures", Measures(self.mappings))

    @property
    def criterion(self) -> Criterion:
        """Return the index of the service with the cut-off in use."""
        return Criterion(self.service.rule.index, self.policy.cutoff)


def site_from_settings(settings: Settings, service: ServiceDefinition) -> Site:
    """Return the site at which one service decides; raises what `sites_from_settings` does."""
    return sites_from_settings(settings, (service,))[service.id]


def sites_from_settings(settings: Settings, services: Iterable[ServiceDefinition]) -> dict[str, Site]:
    """Translate settings into the values the core reads, for each service by its id.

    Raises SettingsError when an overlay was changed since the settings were checked, and is wrong now.
    """
    mappings, policy, cards = load_site_mappings(settings.mappings.overlays), _policy(settings), _cards(settings)
    return {
        service.id: Site(
            policy=service.limits(policy),
            mappings=mappings,
            cards=cards,
            mode=settings.service.mode,
            configuration_hash=settings.hash,
            service=service,
        )
        for service in services
    }


def _cards(settings: Settings) -> CardOptions:
    return CardOptions(
        model_card_url=f"{settings.service.public_url.rstrip('/')}/model-card",
        language=settings.service.language,
        detail=settings.cards.detail,
        show_not_above_cutoff=settings.cards.show_not_above_cutoff,
        show_baseline_above=settings.cards.show_baseline_above,
        show_indeterminate=settings.cards.show_indeterminate,
        assessment_extension=settings.cards.assessment_extension,
    )


def _policy(settings: Settings) -> ClinicalPolicy:
    timing = settings.timing
    return ClinicalPolicy(
        timezone=ZoneInfo(settings.service.timezone),
        cutoff=settings.rule.cutoff,
        cutoff_source=settings.rule.cutoff_source,
        eligibility_required=settings.eligibility.mode == "required",
        minimum_age=settings.eligibility.minimum_age,
        post_procedure_exclusion_days=timing.post_procedure_exclusion_days,
        baseline_window_days=timing.baseline_window_days,
        max_age_days=timing.max_age_days,
        same_draw=timedelta(minutes=timing.same_draw_minutes),
        albumin_window_days=timing.albumin_window_days,
        accepted_statuses=frozenset(settings.normalization.accept_statuses),
        follow_up_years=timing.follow_up_years,
    )
