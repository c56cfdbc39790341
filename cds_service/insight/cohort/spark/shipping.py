"""What is sent to the executors: little, and nothing that names a file of the machine that started the run.

The shipped tables come with the package there, the site's own codes as the content of its files. A plan is built once
in a process.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NamedTuple

from cds_service.decision.reading_memory import ReadingMemory
from cds_service.decision.site import Site
from cds_service.errors import CohortRunError
from cds_service.insight.cohort.assessing import Plan
from cds_service.insight.cohort.export_heads import HeadReader
from cds_service.settings.named_files import holding, read_named_file
from cds_service.settings.overlays import load_site_mappings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from cds_service.insight.cohort.identifiers import NamingKeys


class ShippedRun(NamedTuple):
    """A run as it is sent. `asked` are the members of a plan that are plain values, `site` those of a site.

    `overlays` are the files of the site's codes in their order, with what they hold; they are read nowhere else.
    `token` tells runs apart.
    """

    token: str
    version: str
    mappings_version: str
    site: Mapping[str, Any]
    overlays: tuple[tuple[Path, bytes], ...]
    keys: NamingKeys
    asked: Mapping[str, Any]


class RunParts(NamedTuple):
    """What an executor works with."""

    plan: Plan
    reader: HeadReader
    key_of: Callable[[str], str]


def ship(token: str, plan: Plan, overlays: Sequence[Path], keys: NamingKeys) -> ShippedRun:
    """Return a run to be sent. Raises OSError where an overlay cannot be read any more."""
    site = plan.site
    return ShippedRun(
        token=token,
        version=version("sii-cds"),
        mappings_version=site.mappings.version,
        site={
            "policy": site.policy,
            "cards": site.cards,
            "mode": site.mode,
            "configuration_hash": site.configuration_hash,
            "service": site.service,
        },
        overlays=tuple((path, read_named_file(path)) for path in overlays),
        keys=keys,
        asked={
            "designs": plan.designs,
            "only_first": plan.only_first,
            "course": plan.course,
            "follow_up": plan.follow_up,
            "until": plan.until,
            "adjudicated": dict(plan.adjudicated),
        },
    )


# Of the runs that this process has worked for: the last one.
_built: dict[str, RunParts] = {}


def build(run: ShippedRun) -> RunParts:
    """Return what a process works with, built once. Raises CohortRunError where the package is another one here."""
    if run.token not in _built:
        parts = _build(run)
        _built.clear()
        _built[run.token] = parts
    return _built[run.token]


def _build(run: ShippedRun) -> RunParts:
    here = version("sii-cds")
    if here != run.version:
        raise CohortRunError(f"an executor has sii-cds {here}, and the run is of {run.version}; ship this very version")
    with holding(dict(run.overlays)):
        mappings = load_site_mappings([path for path, _ in run.overlays])
    if mappings.version != run.mappings_version:
        raise CohortRunError(
            f"an executor has the tables {mappings.version}, and the run is of {run.mappings_version}; "
            "ship this very version"
        )
    site = Site(mappings=mappings, **run.site)
    names = run.keys.identifiers()
    plan = Plan(site=site, name=names.name, memory=ReadingMemory(site), **run.asked)
    return RunParts(plan, HeadReader(mappings), names.key_of)
