"""Typed, strict reading of one table of a mapping file."""

from decimal import Decimal, InvalidOperation

from fhir_mappings.errors import MappingError


class RowReader:
    """Takes named values out of one table; every key must be asked for, else `finish` refuses the table.

    Every method raises MappingError, naming the origin, when the value is missing or has another type.
    """

    def __init__(self, raw: object, origin: str) -> None:
        if not isinstance(raw, dict):
            raise MappingError(origin, "is not a table")
        self._raw: dict[str, object] = dict(raw)
        self.origin = origin

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text that is not empty."""
        value = self._raw.pop(key, default)
        if not isinstance(value, str) or (not value and default is None):
            raise self._wrong(key, "a text")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts that is not empty."""
        value = self._raw.pop(key, None)
        if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
            raise self._wrong(key, "a list of texts")
        return tuple(value)

    def one_or_more(self, singular: str, plural: str) -> tuple[str, ...]:
        """Return the list under `plural`, or the one text under `singular`. Exactly one of the two keys is there."""
        if (singular in self._raw) == (plural in self._raw):
            raise MappingError(self.origin, f"needs either {singular} or {plural}")
        return self.texts(plural) if plural in self._raw else (self.text(singular),)

    def codes(self) -> tuple[str, ...]:
        """Return `code` or `codes`: a list in which "C00..C14" is every category from C00 to C14, or one long text."""
        many = self._raw.get("codes")
        if isinstance(many, str) and "code" not in self._raw:
            # A list of hundreds of TOML texts would cost more time at the start than all other tables together.
            del self._raw["codes"]
            written = tuple(many.split())
        else:
            written = self.one_or_more("code", "codes")
        if not any(".." in code for code in written):
            return written
        return tuple(code for text in written for code in self._range(text))

    def _range(self, text: str) -> tuple[str, ...]:
        first, dots, last = text.partition("..")
        if not dots:
            return (text,)
        letters = first.rstrip("0123456789")
        low, high = first[len(letters) :], last[len(letters) :]
        well_formed = last.startswith(letters) and low.isdigit() and high.isdigit() and len(low) == len(high)
        if not well_formed or int(low) >= int(high):
            raise MappingError(self.origin, f"{text!r} is no range such as 'C00..C14'")
        return tuple(f"{letters}{number:0{len(low)}d}" for number in range(int(low), int(high) + 1))

    def places(self, key: str) -> tuple[tuple[int, str], ...]:
        """Return places of a code, counted from 0, with characters; written as "place:characters", counted from 1."""
        found: list[tuple[int, str]] = []
        for text in self.texts(key):
            place, colon, characters = text.partition(":")
            if not (colon and characters and place.isascii() and place.isdigit() and int(place) > 0):
                raise MappingError(self.origin, f"{key}: {text!r} is not written as 'place:characters'")
            found.append((int(place) - 1, characters))
        return tuple(found)

    def flag(self, key: str) -> bool:
        """Return true or false; false when the key is missing."""
        value = self._raw.pop(key, False)
        if not isinstance(value, bool):
            raise self._wrong(key, "true or false")
        return value

    def names(self) -> tuple[str, ...]:
        """Return the keys that were not asked for yet."""
        return tuple(self._raw)

    def integer(self, key: str) -> int:
        """Return a whole number."""
        value = self._raw.pop(key, None)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self._wrong(key, "a whole number")
        return value

    def decimal(self, key: str) -> Decimal:
        """Return an exact decimal number. It stands in quotes, because a TOML float would be rounded."""
        text = self.text(key)
        try:
            number = Decimal(text)
        except InvalidOperation:
            raise self._wrong(key, "a decimal number in quotes") from None
        if not number.is_finite():
            raise self._wrong(key, "a decimal number in quotes")
        return number

    def finish(self) -> None:
        """Refuse keys that nobody asked for: a mistyped optional key must not go unnoticed."""
        if self._raw:
            raise MappingError(self.origin, f"unknown key {', '.join(sorted(self._raw))}")

    def _wrong(self, key: str, wanted: str) -> MappingError:
        return MappingError(self.origin, f"{key} must be {wanted}")
