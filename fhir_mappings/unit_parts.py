"""What units of counts are put together from, as frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class UnitPart:
    """Half of a unit of counts: a multiple (how many) or a volume (in liters), in each of its spellings.

    `cased`: the spelling has this meaning in this case only.
    """

    number: Decimal
    spellings: tuple[str, ...]
    cased: bool
    sources: tuple[str, ...]
    origin: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class UnclearMultiple:
    """A multiple that is met and means more than one number, with the reason why it is not read."""

    spellings: tuple[str, ...]
    reason: str
    sources: tuple[str, ...]
    origin: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class UnitGrammar:
    """What units of counts are put together from. See `unit_grammar`.

    `notations` are ways of writing a power of ten, with n for the exponent; `signs` stand before them, `words` (cells)
    behind. `accepted` and `refused` are factors to 10*9/L, `refused` with the reason.
    """

    signs: tuple[str, ...]
    notations: tuple[str, ...]
    powers: tuple[int, ...]
    words: tuple[str, ...]
    accepted: tuple[Decimal, ...]
    refused: Mapping[Decimal, str]
    multiples: tuple[UnitPart, ...]
    volumes: tuple[UnitPart, ...]
    unclear: tuple[UnclearMultiple, ...]
