"""What an overlay may say, row by row.

Only the form of a row is judged here; whether it fits the shipped tables is judged where it is merged.
"""

import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from cds_service.settings.value_types import Text
from cds_service.settings.wording import did_you_mean, shown
from fhir_mappings.models import ANALYTES, CONDITION_CATEGORIES, KINDS, OPERATION_KINDS

# What a code or URI cannot hold and still stand in a prefetch template: FHIR search gives , | $ and \ a meaning of
# their own, & ends a parameter, and braces are the template's.
UNSEARCHABLE: Final = re.compile(r"[,|$\\&{}]")
_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s,|$\\&{}<>\"^`]+")
# What a proposal holds in the place of a name: it is accepted, and warned of until somebody answers for it.
UNAPPROVED: Final = "NOT YET APPROVED"
# Shorter than the shortest sentence that names a reason and a person.
_SHORTEST_REASON: Final = 15


def _one_of(choices: Iterable[str]) -> Callable[[str], str]:
    known = tuple(choices)

    def check(word: str) -> str:
        if word not in known:
            raise ValueError(f"{shown(word)} is not one of {', '.join(known)}{did_you_mean(word, known)}")
        return word

    return check


def _system_uri(text: str) -> str:
    if _URI.fullmatch(text) is None:
        raise ValueError(
            f'{shown(text)} is not a URI such as "https://laboratory.hospital.example/codes" or "urn:oid:2.999.1"'
        )
    return text


def _reason(text: str) -> str:
    if len(text) < _SHORTEST_REASON:
        raise ValueError(f"{shown(text)} is too short; say why, and who approved it")
    return text


def _decimal(value: object) -> object:
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


SystemUri = Annotated[Text, AfterValidator(_system_uri)]
Reason = Annotated[Text, AfterValidator(_reason)]
Factor = Annotated[Decimal, Field(gt=0, le=1_000_000), BeforeValidator(_decimal)]


class Form(BaseModel):
    """A frozen row: unknown keys refused, no value converted from another type."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class About(Form):
    """What the overlay holds, and who answers for it."""

    what: Text
    approved_by: Text


class LocalSystem(Form):
    """A code system of the site. `dotted`: codes are the same with and without dot and in either case, as in ICD.

    `edition`: the known system of which this is a national edition, such as icd-10; its rows hold here as well.
    `prefix`: codes are longer than those of that system, and each row holds for all codes below its own.
    """

    uri: SystemUri
    dotted: bool | None = None
    edition: Text | None = None
    prefix: bool = False


class Claim(Form):
    """A row that may contradict a must-not-match row, if it says why and who approved that."""

    contradicts_refused: Reason | None = None


class CodedClaim(Claim):
    """A row about one code. `name`: what the site calls it."""

    system: SystemUri
    code: Text
    name: Text | None = None


class LaboratoryCode(CodedClaim):
    """A code that counts as an analyte. `preference` 1 wins over 2 within one blood draw."""

    analyte: Annotated[str, AfterValidator(_one_of(sorted(ANALYTES)))]
    basis: Annotated[str, AfterValidator(_one_of(KINDS))]
    preference: Annotated[int, Field(ge=1, le=2)] = 1


class LocalUnit(Claim):
    """A unit as the laboratory writes it: the value times `factor` is the value in the canonical unit of `kind`."""

    spelling: Text
    kind: Annotated[str, AfterValidator(_one_of(KINDS))]
    factor: Factor


class ConditionCode(CodedClaim):
    """A diagnosis code. `prefix`: holds for every code below it as well."""

    category: Annotated[str, AfterValidator(_one_of(sorted(CONDITION_CATEGORIES)))]
    prefix: bool = False


class LocalProcedure(CodedClaim):
    """A qualifying procedure. A code that does not name the liver needs a `note` that says why it counts.

    `weak`: the code means more than the treatment of a tumor. `prefix`: holds for every code below it as well.
    """

    therapy: Text
    liver_specific: bool = False
    note: Text | None = None
    weak: bool = False
    prefix: bool = False


class LocalOperation(CodedClaim):
    """An operation that changes blood counts without qualifying. `prefix`: holds for every code below it as well."""

    kind: Annotated[str, AfterValidator(_one_of(sorted(OPERATION_KINDS)))]
    prefix: bool = False


class Removal(Form):
    """A shipped code that does not count at this site."""

    system: SystemUri
    code: Text
    reason: Reason
