"""The parts of a FHIR R4 ConceptMap that are read, under the names that FHIR gives them.

Source: FHIR R4 (4.0.1), ConceptMap.
"""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from cds_service.settings.overlays.forms import Form, SystemUri
from cds_service.settings.value_types import Text

LOINC: Final = "http://loinc.org"


class MapDescribed(Form):
    """What every part may carry without a change of meaning."""

    id: object = None
    extension: object = None


class MapTarget(MapDescribed):
    """The LOINC code. Only an equivalence that says "the same" lets a result be read under another code."""

    code: Text
    equivalence: Literal["equal", "equivalent"]
    display: object = None
    comment: object = None


def _one_target(targets: tuple[MapTarget, ...]) -> tuple[MapTarget, ...]:
    if len(targets) != 1:
        raise ValueError(f"names {len(targets)} codes; a local code has one meaning")
    return targets


class MapElement(MapDescribed):
    """A local code."""

    code: Text
    display: object = None
    target: Annotated[tuple[MapTarget, ...], AfterValidator(_one_target)]


class MapGroup(MapDescribed):
    """Elements from one local code system; each is checked by itself, as `MapElement`."""

    source: SystemUri
    source_version: object = Field(None, alias="sourceVersion")
    target: Literal["http://loinc.org"]
    target_version: object = Field(None, alias="targetVersion")
    element: tuple[object, ...] = Field(min_length=1)
